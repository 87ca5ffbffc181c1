//! What the check orders: a mix that depends on nothing but its size and its seed. Pure.

use serde_json::{Value, json};

/// What to put into the catalog, and what to ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mix {
    pub(crate) products: Vec<Product>,
    pub(crate) steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Product {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) unit_price: i64,
    pub(crate) stock: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Order(OrderStep),
    Invalid(InvalidStep),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OrderStep {
    pub(crate) user: String,
    /// Every order has one: the check is a client that may retry.
    pub(crate) idempotency_key: String,
    pub(crate) product_id: i64,
    pub(crate) qty: i32,
    pub(crate) unit_price: i64,
    /// Sent again, under the same key, straight to each instance.
    pub(crate) repeated: bool,
}

/// A request that must be refused with 4xx and leave no trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InvalidStep {
    pub(crate) what: &'static str,
    pub(crate) user: String,
    pub(crate) content_type: &'static str,
    pub(crate) body: Vec<u8>,
}

impl OrderStep {
    pub(crate) fn body(&self) -> Value {
        json!({"productId": self.product_id, "qty": self.qty, "unitPrice": self.unit_price})
    }
}

/// Far from the ids of the sample products.
const FIRST_PRODUCT: i64 = 900_001;
const UNKNOWN_PRODUCT: i64 = 999_999;
/// How much of what is ordered there is, in percent: plenty, about enough for some, and none at all.
const STOCK_OF_DEMAND: [i64; 4] = [150, 60, 35, 0];
const USERS: u64 = 12;

impl Mix {
    /// `orders` valid orders, and one request in thirteen that is not valid on top.
    pub(crate) fn new(orders: u32, seed: u64) -> Self {
        let mut random = Random(seed);
        let mut steps = Vec::new();
        for number in 0..orders {
            // every twelfth and tenth, not by chance: a small mix has its share too
            let unknown = number % 12 == 5;
            let repeated = number % 10 == 3;
            let product = if random.below(100) < 4 { 3 } else { random.below(3) };
            let index = i64::try_from(product).unwrap_or_default();
            steps.push(Step::Order(OrderStep {
                user: format!("user-{}", random.below(USERS)),
                idempotency_key: format!("check-{seed}-{number}"),
                product_id: if unknown { UNKNOWN_PRODUCT } else { FIRST_PRODUCT + index },
                qty: 1 + i32::try_from(random.below(5)).unwrap_or_default(),
                unit_price: price(index),
                repeated,
            }));
            if number % 12 == 7 {
                steps.push(Step::Invalid(invalid(number / 12)));
            }
        }
        let products = (0i64..).zip(STOCK_OF_DEMAND).map(|(index, percent)| {
            let id = FIRST_PRODUCT + index;
            Product {
                id,
                name: format!("check product {}", index + 1),
                unit_price: price(index),
                stock: demand(&steps, id) * percent / 100,
            }
        });
        Self { products: products.collect(), steps }
    }

    pub(crate) fn orders(&self) -> impl Iterator<Item = &OrderStep> {
        self.steps.iter().filter_map(|step| match step {
            Step::Order(order) => Some(order),
            Step::Invalid(_) => None,
        })
    }

    pub(crate) fn invalid(&self) -> impl Iterator<Item = &InvalidStep> {
        self.steps.iter().filter_map(|step| match step {
            Step::Invalid(invalid) => Some(invalid),
            Step::Order(_) => None,
        })
    }
}

fn price(index: i64) -> i64 {
    1_500 + 250 * index
}

fn demand(steps: &[Step], product: i64) -> i64 {
    let of = |step: &Step| match step {
        Step::Order(order) if order.product_id == product => i64::from(order.qty),
        _ => 0,
    };
    steps.iter().map(of).sum()
}

/// The ways to be wrong, in turn.
fn invalid(turn: u32) -> InvalidStep {
    const JSON: &str = "application/json";
    let ways: [(&'static str, &'static str, &'static [u8]); 10] = [
        ("qty 0", JSON, br#"{"productId":900001,"qty":0,"unitPrice":1500}"#),
        ("qty 10001", JSON, br#"{"productId":900001,"qty":10001,"unitPrice":1500}"#),
        ("qty as text", JSON, br#"{"productId":900001,"qty":"2","unitPrice":1500}"#),
        ("no productId", JSON, br#"{"qty":2,"unitPrice":1500}"#),
        ("an unknown field", JSON, br#"{"productId":900001,"qty":2,"unitPrice":1500,"colour":"red"}"#),
        ("a negative price", JSON, br#"{"productId":900001,"qty":2,"unitPrice":-1}"#),
        ("a total beyond 64 bits", JSON, br#"{"productId":900001,"qty":9,"unitPrice":9223372036854775807}"#),
        ("broken JSON", JSON, br#"{"productId":900001,"#),
        ("bad UTF-8", JSON, b"{\"productId\":900001,\"qty\":2,\"unitPrice\":1500,\"\xff\":1}"),
        ("text, not JSON", "text/plain", br#"{"productId":900001,"qty":2,"unitPrice":1500}"#),
    ];
    let (what, content_type, body) = ways[turn as usize % ways.len()];
    InvalidStep { what, user: "user-0".into(), content_type, body: body.to_vec() }
}

/// SplitMix64: small, and the same everywhere and for ever, as a seed in a bug report has to be.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_same_seed_gives_the_same_mix_and_another_one_another() {
        assert_eq!(Mix::new(200, 7), Mix::new(200, 7));
        assert_ne!(Mix::new(200, 7), Mix::new(200, 8));
    }

    #[test]
    fn every_mix_has_its_share_of_everything() {
        for (orders, seed) in [(20, 1), (20, 2), (200, 1), (200, 99), (1_000, 3)] {
            let mix = Mix::new(orders, seed);
            assert_eq!(mix.orders().count(), orders as usize);
            let keys: HashSet<_> = mix.orders().map(|order| &order.idempotency_key).collect();
            assert_eq!(keys.len(), orders as usize, "keys are unique");
            assert!(mix.orders().any(|order| order.repeated));
            assert!(mix.orders().any(|order| order.product_id == UNKNOWN_PRODUCT));
            assert!(mix.steps.iter().any(|step| matches!(step, Step::Invalid(_))));
            let beyond = |product: &Product| demand(&mix.steps, product.id) > product.stock;
            assert!(mix.products.iter().any(beyond), "{orders} orders of seed {seed}: some beyond stock");
            assert!(mix.products.iter().any(|product| !beyond(product)), "some within stock");
        }
    }
}
