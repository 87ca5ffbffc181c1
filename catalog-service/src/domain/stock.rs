use contracts::Decision;
use std::collections::BTreeMap;

/// What is left of the products that a batch of orders asks for.
///
/// It is read under a lock, decides the batch in memory, and says at the end how much to take from each product.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stock {
    left: BTreeMap<i64, i64>,
    taken: BTreeMap<i64, i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Confirmed,
    Rejected(Rejection),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    UnknownProduct,
    InsufficientStock,
}

impl Rejection {
    pub fn as_str(self) -> &'static str {
        match self {
            Rejection::UnknownProduct => Decision::UNKNOWN_PRODUCT,
            Rejection::InsufficientStock => Decision::INSUFFICIENT_STOCK,
        }
    }
}

impl Stock {
    /// `left`: product id and quantity of every product that exists.
    pub fn new(left: impl IntoIterator<Item = (i64, i64)>) -> Self {
        Self { left: left.into_iter().collect(), taken: BTreeMap::new() }
    }

    /// Decides one order. All or nothing: an order that is too large takes nothing, a later smaller one may still fit.
    pub fn decide(&mut self, product_id: i64, qty: i64) -> Verdict {
        let Some(left) = self.left.get_mut(&product_id) else {
            return Verdict::Rejected(Rejection::UnknownProduct);
        };
        if *left < qty {
            return Verdict::Rejected(Rejection::InsufficientStock);
        }
        *left -= qty;
        *self.taken.entry(product_id).or_default() += qty;
        Verdict::Confirmed
    }

    /// Product id and quantity to take, in the order of ids.
    pub fn taken(&self) -> impl Iterator<Item = (i64, i64)> + '_ {
        self.taken.iter().map(|(id, qty)| (*id, *qty))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_takes_all_or_nothing() {
        use Verdict::{Confirmed, Rejected};
        let mut stock = Stock::new([(1, 8), (2, 0)]);
        assert_eq!(stock.decide(1, 5), Confirmed);
        assert_eq!(stock.decide(1, 4), Rejected(Rejection::InsufficientStock));
        assert_eq!(stock.decide(1, 3), Confirmed);
        assert_eq!(stock.decide(1, 1), Rejected(Rejection::InsufficientStock));
        assert_eq!(stock.decide(2, 1), Rejected(Rejection::InsufficientStock));
        assert_eq!(stock.decide(3, 1), Rejected(Rejection::UnknownProduct));
        assert_eq!(stock.taken().collect::<Vec<_>>(), [(1, 8)]);
    }
}
