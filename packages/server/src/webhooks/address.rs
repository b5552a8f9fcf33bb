//! Where webhooks may go.
//!
//! A URL is looked at when it is subscribed to, and each address it leads to when something is sent there: what a name
//! resolves to can change, and so can what is allowed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hyper::Uri;
use url::{Host, Url};

/// A place that webhooks can be sent to.
#[derive(Debug)]
pub(crate) struct Target {
    pub(super) is_https: bool,
    pub(super) host: Host,
    pub(super) port: u16,
    /// Path and query, as a request line has them.
    pub(super) path: Uri,
}

impl Target {
    /// Reads a URL as browsers do, so that no odd spelling of an address is anything but that address.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence.
    pub(super) fn parse(url: &str) -> Result<Self, String> {
        if url.len() > MOST_BYTES {
            return Err(format!("has to have at most {MOST_BYTES} bytes"));
        }
        if url.contains(|character: char| character.is_control() || character.is_whitespace()) {
            return Err("cannot have white space in it".to_owned());
        }
        let wrong_scheme = || "has to begin with http:// or https://, and a host".to_owned();
        let url = Url::parse(url).map_err(|_| wrong_scheme())?;
        if !["http", "https"].contains(&url.scheme()) {
            return Err(wrong_scheme());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("cannot have a user name or password in it".to_owned());
        }
        let host = url.host().ok_or_else(wrong_scheme)?.to_owned();
        let port = url.port_or_known_default().filter(|port| *port != 0).ok_or("cannot have the port 0")?;
        let path = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let path = path.parse().map_err(|_| "cannot be sent in a request: percent-encode its path")?;
        Ok(Self { is_https: url.scheme() == "https", host, port, path })
    }

    /// The address, if the host is one.
    pub(super) fn ip(&self) -> Option<IpAddr> {
        match self.host {
            Host::Ipv4(ip) => Some(ip.into()),
            Host::Ipv6(ip) => Some(ip.into()),
            Host::Domain(_) => None,
        }
    }

    /// What stands in the header `Host`.
    pub(super) fn authority(&self) -> String {
        let Self { host, port, .. } = self;
        if *port == if self.is_https { 443 } else { 80 } { host.to_string() } else { format!("{host}:{port}") }
    }

    /// A name that is the machine itself, wherever it is asked for.
    fn is_localhost(&self) -> bool {
        let Host::Domain(name) = &self.host else { return false };
        let name = name.strip_suffix('.').unwrap_or(name);
        name == "localhost" || name.ends_with(".localhost")
    }
}

/// Whether webhooks can be sent to a URL; what is wrong with it otherwise, as the end of a sentence.
pub(crate) fn check_url(url: &str, private: bool) -> Result<(), String> {
    let target = Target::parse(url)?;
    let judged = match target.ip() {
        Some(ip) => judge(ip, private),
        None if target.is_localhost() && !private => Err(Forbidden::Private),
        None => Ok(()),
    };
    judged.map_err(|forbidden| format!("cannot lead to {forbidden}"))
}

/// Why nothing is sent to an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Forbidden {
    Private,
    LinkLocal,
    Metadata,
    NotOneHost,
}

impl std::fmt::Display for Forbidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Private => "a private address: this server sends webhooks to public ones alone",
            Self::LinkLocal => "a link-local address",
            Self::Metadata => "a cloud's metadata service",
            Self::NotOneHost => "an address that is no host's: reserved, multicast or unspecified",
        })
    }
}

/// Whether something may be sent to an address. `private`: whether loopback and private networks are allowed.
pub(super) fn judge(ip: IpAddr, private: bool) -> Result<(), Forbidden> {
    let is_private = match ip {
        IpAddr::V4(ip) => judge_v4(ip)?,
        IpAddr::V6(ip) => judge_v6(ip)?,
    };
    if is_private && !private { Err(Forbidden::Private) } else { Ok(()) }
}

/// `Ok(true)` for an address of the machine or its network.
fn judge_v4(ip: Ipv4Addr) -> Result<bool, Forbidden> {
    match ip.octets() {
        _ if METADATA_V4.contains(&ip) => Err(Forbidden::Metadata),
        [169, 254, ..] => Err(Forbidden::LinkLocal),
        [10 | 127, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] => Ok(true),
        // This network; assignments of the IETF, documentation, relays of 6to4; benchmarks; multicast and what follows.
        [0, ..]
        | [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [198, 18 | 19, ..]
        | [198, 51, 100, _]
        | [203, 0, 113, _]
        | [224..=255, ..] => Err(Forbidden::NotOneHost),
        _ => Ok(false),
    }
}

fn judge_v6(ip: Ipv6Addr) -> Result<bool, Forbidden> {
    let v4 = |high: u16, low: u16| judge_v4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    match ip.segments() {
        _ if METADATA_V6.contains(&ip) => Err(Forbidden::Metadata),
        [0, 0, 0, 0, 0, 0, 0, 1] => Ok(true),
        // An IPv4 address in other clothes: compatible, mapped, NAT64, 6to4.
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            v4(high, low)
        }
        [0xfc00..=0xfdff, ..] => Ok(true),
        [0xfe80..=0xfebf, ..] => Err(Forbidden::LinkLocal),
        // Assignments of the IETF, Teredo among them; documentation.
        [0x2001, 0..=0x01ff | 0x0db8, ..] | [0x3fff, 0..=0x0fff, ..] => Err(Forbidden::NotOneHost),
        [0x2000..=0x3fff, ..] => Ok(false),
        _ => Err(Forbidden::NotOneHost),
    }
}

const MOST_BYTES: usize = 2048;

/// Those that lie outside the link-local range, or are worth a word of their own.
const METADATA_V4: &[Ipv4Addr] = &[
    Ipv4Addr::new(169, 254, 169, 254), // nearly everywhere
    Ipv4Addr::new(100, 100, 100, 200), // Alibaba Cloud
    Ipv4Addr::new(168, 63, 129, 16),   // Azure
];
const METADATA_V6: &[Ipv6Addr] = &[
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),      // AWS
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),       // Google Cloud
    Ipv6Addr::new(0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42),        // Scaleway
    Ipv6Addr::new(0xfd00, 0xc1, 0, 0, 0xa9fe, 0xa9fe, 0, 0), // Oracle
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_judged_by_what_they_are() {
        use Forbidden::{LinkLocal, Metadata, NotOneHost, Private};
        // An address, with private ones forbidden, with private ones allowed.
        type Row<'r> = (&'r str, Result<(), Forbidden>, Result<(), Forbidden>);
        let public = |ip| (ip, Ok(()), Ok(()));
        let private = |ip| (ip, Err(Private), Ok(()));
        let never = |ip, why| (ip, Err(why), Err(why));
        let rows: &[Row<'_>] = &[
            public("1.1.1.1"),
            public("9.255.255.255"),
            public("11.0.0.0"),
            public("100.63.255.255"),
            public("100.128.0.0"),
            public("126.255.255.255"),
            public("128.0.0.0"),
            public("169.253.255.255"),
            public("172.15.255.255"),
            public("172.32.0.0"),
            public("192.0.1.0"),
            public("192.167.255.255"),
            public("198.17.255.255"),
            public("198.20.0.0"),
            public("223.255.255.255"),
            public("2606:4700::1111"),
            public("2001:200::1"),
            public("3ffe::1"),
            public("::ffff:1.1.1.1"),
            public("64:ff9b::1.1.1.1"),
            public("2002:101:101::1"),
            private("10.0.0.0"),
            private("10.255.255.255"),
            private("100.64.0.0"),
            private("100.127.255.255"),
            private("127.0.0.1"),
            private("127.255.255.255"),
            private("172.16.0.0"),
            private("172.31.255.255"),
            private("192.168.0.0"),
            private("192.168.255.255"),
            private("::1"),
            private("fc00::1"),
            private("fdff:ffff::1"),
            private("::ffff:127.0.0.1"),
            private("::127.0.0.1"),
            private("64:ff9b::10.0.0.1"),
            private("2002:c0a8:1::1"),
            never("0.0.0.0", NotOneHost),
            never("0.255.255.255", NotOneHost),
            never("192.0.0.8", NotOneHost),
            never("192.0.2.1", NotOneHost),
            never("192.88.99.1", NotOneHost),
            never("198.18.0.0", NotOneHost),
            never("198.19.255.255", NotOneHost),
            never("198.51.100.1", NotOneHost),
            never("203.0.113.1", NotOneHost),
            never("224.0.0.1", NotOneHost),
            never("239.255.255.255", NotOneHost),
            never("240.0.0.1", NotOneHost),
            never("255.255.255.255", NotOneHost),
            never("169.254.0.1", LinkLocal),
            never("169.254.169.254", Metadata),
            never("100.100.100.200", Metadata),
            never("168.63.129.16", Metadata),
            never("::", NotOneHost),
            never("::ffff:0.0.0.0", NotOneHost),
            never("::ffff:169.254.169.254", Metadata),
            never("::169.254.169.254", Metadata),
            never("64:ff9b::169.254.1.1", LinkLocal),
            never("64:ff9b:1::1", NotOneHost),
            never("2002:a9fe:a9fe::1", Metadata),
            never("fd00:ec2::254", Metadata),
            never("fd20:ce::254", Metadata),
            never("fe80::1", LinkLocal),
            never("febf::1", LinkLocal),
            never("fec0::1", NotOneHost),
            never("ff02::1", NotOneHost),
            never("100::1", NotOneHost),
            never("2001::1", NotOneHost),
            never("2001:db8::1", NotOneHost),
            never("3fff::1", NotOneHost),
            never("5f00::1", NotOneHost),
        ];
        for (ip, closed, open) in rows {
            let address: IpAddr = ip.parse().unwrap();
            assert_eq!(judge(address, false), *closed, "{ip}, private ones forbidden");
            assert_eq!(judge(address, true), *open, "{ip}, private ones allowed");
        }
    }

    #[test]
    fn an_address_is_found_in_every_spelling() {
        for url in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://0x7f.1/",
            "http://0x7f000001/",
            "http://2130706433/",
            "http://0177.0.0.1/",
            "http://127.0.0.1./",
            "http://①②⑦.0.0.1/",
            "http://%31%32%37.0.0.1/",
            "http:127.0.0.1",
            "http:\\\\127.0.0.1/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[0:0:0:0:0:0:0:1]:8080/x",
            "http://localhost/",
            "http://LOCALHOST./",
            "http://a.localhost:1234/",
        ] {
            assert_eq!(check_url(url, true), Ok(()), "{url}");
            let wrong = check_url(url, false).expect_err(url);
            assert!(wrong.starts_with("cannot lead to a private address"), "{url}: {wrong}");
        }
        for url in [
            "http://169.254.169.254/latest/meta-data",
            "http://2852039166/",
            "http://0xa9fea9fe/",
            "http://[::ffff:169.254.169.254]/",
            "http://[::ffff:a9fe:a9fe]/",
            "http://[fe80::1]/",
            "http://0/",
            "http://255.255.255.255/",
        ] {
            assert!(check_url(url, true).is_err_and(|wrong| wrong.starts_with("cannot lead to ")), "{url}");
        }
    }

    #[test]
    fn a_url_is_of_the_web_and_whole() {
        let long = format!("https://example.com/{}", "a".repeat(MOST_BYTES - 20));
        for url in [
            "https://example.com",
            "http://example.com:8080/a/b?c=d#e",
            "HTTPS://EXAMPLE.COM/",
            "https://bücher.example/\"{|}^[]",
            &long,
        ] {
            assert_eq!(check_url(url, false), Ok(()), "{url}");
        }
        for (url, wrong) in [
            ("", "has to begin with"),
            ("example.com/a", "has to begin with"),
            ("ftp://example.com/", "has to begin with"),
            ("file:///etc/passwd", "has to begin with"),
            ("javascript:alert(1)", "has to begin with"),
            ("https://", "has to begin with"),
            ("http://[::1", "has to begin with"),
            ("http://exa mple.com/", "cannot have white space"),
            ("http://example.com/\r\nAPI-KEY: x", "cannot have white space"),
            ("http://user@example.com/", "cannot have a user name"),
            ("http://:secret@example.com/", "cannot have a user name"),
            ("http://example.com:0/", "cannot have the port 0"),
            ("http://example.com:65536/", "has to begin with"),
            (&format!("{long}a"), "has to have at most"),
        ] {
            let said = check_url(url, true).expect_err(url);
            assert!(said.starts_with(wrong), "{url}: {said}");
        }
    }

    #[test]
    fn the_host_header_names_a_port_only_where_it_has_to() {
        let authority = |url| Target::parse(url).unwrap().authority();
        assert_eq!(authority("http://example.com/"), "example.com");
        assert_eq!(authority("https://example.com:443/"), "example.com");
        assert_eq!(authority("https://example.com:80/"), "example.com:80");
        assert_eq!(authority("http://[::1]:8080/"), "[::1]:8080");
    }
}
