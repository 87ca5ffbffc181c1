/// Something that can be ordered, and how many of it are left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    pub product_id: i64,
    pub name: String,
    pub unit_price: i64,
    pub qty: i64,
}

/// The first rule a product breaks; `field` is its name in the API.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} {rule}")]
pub struct ProductError {
    pub field: &'static str,
    pub rule: String,
}

impl Product {
    pub const NAME_MAX_CHARS: usize = 200;
    pub const QTY_MAX: i64 = 1_000_000_000;

    pub fn check(&self) -> Result<(), ProductError> {
        let broken = |field, rule: String| Err(ProductError { field, rule });
        if self.product_id < 1 {
            return broken("productId", format!("is {}; it must be 1 or more", self.product_id));
        }
        let chars = self.name.chars().count();
        if chars == 0 || chars > Self::NAME_MAX_CHARS {
            return broken(
                "name",
                format!("has {chars} characters; it must have 1 to {}", Self::NAME_MAX_CHARS),
            );
        }
        if self.name.chars().any(char::is_control) {
            return broken(
                "name",
                "has a control character (such as a tab or a line end); leave it out".into(),
            );
        }
        if self.name.trim().is_empty() {
            return broken("name", "has only spaces; it must have a letter".into());
        }
        if self.unit_price < 0 {
            return broken("unitPrice", format!("is {}; it must be 0 or more", self.unit_price));
        }
        if !(0..=Self::QTY_MAX).contains(&self.qty) {
            return broken("qty", format!("is {}; it must be 0 to {}", self.qty, Self::QTY_MAX));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_of_a_product() {
        type Change = fn(&mut Product);
        let good = Product { product_id: 1, name: "Lamp".into(), unit_price: 0, qty: 0 };
        let broken = |change: Change| {
            let mut product = good.clone();
            change(&mut product);
            product.check().err().map(|error| error.field)
        };
        let cases: &[(Change, Option<&str>)] = &[
            (|_| (), None),
            (|p| p.product_id = i64::MAX, None),
            (|p| p.name = "\u{ae40}".repeat(200), None),
            (|p| p.unit_price = i64::MAX, None),
            (|p| p.qty = Product::QTY_MAX, None),
            (|p| p.product_id = 0, Some("productId")),
            (|p| p.product_id = -1, Some("productId")),
            (|p| p.name = String::new(), Some("name")),
            (|p| p.name = "n".repeat(201), Some("name")),
            (|p| p.name = "a\nb".into(), Some("name")),
            (|p| p.name = "a\u{0}".into(), Some("name")),
            (|p| p.name = "  ".into(), Some("name")),
            (|p| p.unit_price = -1, Some("unitPrice")),
            (|p| p.qty = -1, Some("qty")),
            (|p| p.qty = Product::QTY_MAX + 1, Some("qty")),
        ];
        for (i, (change, field)) in cases.iter().enumerate() {
            assert_eq!(broken(*change), *field, "case {i}");
        }
    }
}
