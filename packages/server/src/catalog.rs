//! The cards that can be issued, and what they cost. All of it is ours: the documents name no product.

use serde::Serialize;

use crate::money::Money;

/// A product as `/cards/products` shows it.
#[derive(Debug, Serialize)]
pub(crate) struct Product {
    pub(crate) product_code: &'static str,
    /// What older integrations name it by.
    pub(crate) product_id: u32,
    pub(crate) name: &'static str,
    pub(crate) subprovider_code: &'static str,
    pub(crate) currency: &'static str,
    /// Charged with the order for a card.
    pub(crate) issue_fee: Money,
    /// Charged on top of a top-up, in hundredths of a percent.
    pub(crate) topup_fee_basis_points: u32,
    pub(crate) min_topup: Money,
    pub(crate) max_topup: Money,
    pub(crate) is_active: bool,
}

/// All products.
pub(crate) const PRODUCTS: &[Product] = &[
    Product {
        product_code: "virtual_usd",
        product_id: 1,
        name: "Virtual card in US dollars",
        subprovider_code: "sandbox",
        currency: "usd",
        issue_fee: Money::cents(500),
        topup_fee_basis_points: 150,
        min_topup: Money::cents(1_000),
        max_topup: Money::cents(500_000),
        is_active: true,
    },
    Product {
        product_code: "virtual_eur",
        product_id: 2,
        name: "Virtual card in euros",
        subprovider_code: "sandbox_eu",
        currency: "eur",
        issue_fee: Money::cents(700),
        topup_fee_basis_points: 200,
        min_topup: Money::cents(1_000),
        max_topup: Money::cents(500_000),
        is_active: true,
    },
    Product {
        product_code: "metal_usd",
        product_id: 3,
        name: "Metal card in US dollars, sold out",
        subprovider_code: "sandbox",
        currency: "usd",
        issue_fee: Money::cents(9_900),
        topup_fee_basis_points: 100,
        min_topup: Money::cents(1_000),
        max_topup: Money::cents(5_000_000),
        is_active: false,
    },
];

/// The product with a code, or with the number that older integrations use.
pub(crate) fn product(code_or_id: &str) -> Option<&'static Product> {
    PRODUCTS.iter().find(|product| product.product_code == code_or_id || product.product_id.to_string() == code_or_id)
}

/// Whether a provider of cards goes by this code.
pub(crate) fn is_subprovider(code: &str) -> bool {
    PRODUCTS.iter().any(|product| product.subprovider_code == code)
}
