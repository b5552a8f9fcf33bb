//! The status models: values, allowed transitions, ends. The tables are generated; unknown values pass through.

/// Writes an open set of values: an enum with a variant for values that are not known here.
macro_rules! value_list {
    ($type:ident, $about:literal; $($variant:ident = $value:literal;)*) => {
        #[doc = $about]
        ///
        /// Make it with `From<&str>`: a value that is not known here is kept as it is.
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $type {
            $(#[doc = concat!("`", $value, "`")] $variant,)*
            /// A value that this release does not know.
            Unknown(alloc::string::String),
        }

        impl $type {
            /// The values known here.
            pub const KNOWN: &'static [&'static str] = &[$($value),*];

            /// The value as the API writes it.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $value,)*
                    Self::Unknown(value) => value,
                }
            }

            /// Whether the value is known here.
            pub const fn is_known(&self) -> bool {
                !matches!(self, Self::Unknown(_))
            }
        }

        impl From<&str> for $type {
            fn from(value: &str) -> Self {
                match value {
                    $($value => Self::$variant,)*
                    _ => Self::Unknown(value.into()),
                }
            }
        }

        impl core::fmt::Display for $type {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        #[cfg(feature = "serde")]
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        #[cfg(feature = "serde")]
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = <alloc::borrow::Cow<'_, str> as serde::Deserialize>::deserialize(deserializer)?;
                Ok(Self::from(&*value))
            }
        }
    };
}
pub(crate) use value_list;

/// Writes a state machine: a value list with its transitions and ends.
macro_rules! status_model {
    (
        $type:ident, $about:literal;
        $($variant:ident = $value:literal, terminal: $terminal:literal, to: [$($to:ident),*];)*
    ) => {
        $crate::status::value_list! { $type, $about; $($variant = $value;)* }

        impl $type {
            /// Whether the model allows the step from this status to `next`; no step to or from an unknown one is.
            pub fn can_become(&self, next: &Self) -> bool {
                let next_statuses: &[Self] = match self {
                    $(Self::$variant => &[$(Self::$to),*],)*
                    Self::Unknown(_) => &[],
                };
                next_statuses.contains(next)
            }

            /// Whether nothing follows this status; an unknown one may go on.
            pub const fn is_terminal(&self) -> bool {
                match self {
                    $(Self::$variant => $terminal,)*
                    Self::Unknown(_) => false,
                }
            }
        }
    };
}
pub(crate) use status_model;

#[cfg(test)]
mod tests {
    use crate::{CardTopupStatus, OrderStatus};

    #[test]
    fn unknown_values_pass_through_and_go_nowhere() {
        let unknown = OrderStatus::from("refunded");
        assert_eq!((unknown.as_str(), unknown.is_known(), unknown.is_terminal()), ("refunded", false, false));
        assert!(!unknown.can_become(&OrderStatus::Completed));
        assert!(!OrderStatus::New.can_become(&unknown));
        assert_eq!(OrderStatus::from("new"), OrderStatus::New);
    }

    #[cfg(feature = "serde")]
    #[test]
    fn statuses_are_plain_strings_in_json() {
        let statuses: [CardTopupStatus; 2] = serde_json::from_str(r#"["new_error", "brand\u006eew"]"#).unwrap();
        assert_eq!(serde_json::to_string(&statuses).unwrap(), r#"["new_error","brandnew"]"#);
        assert_eq!(statuses[1], CardTopupStatus::Unknown("brandnew".into()));
    }
}
