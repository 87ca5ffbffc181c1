//! Compares what everybody saw. Pure: made-up observations with a lost order, a doubled one or a wrong stock must fail.

use super::mix::Product;
use super::place::{Accepted, OrderView, Placed};
use contracts::{Decision, Order, Outcome};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

/// Everything that was looked at after the dust had settled.
pub(crate) struct Observed {
    pub(crate) placed: Placed,
    pub(crate) orders_expected: usize,
    pub(crate) invalid_expected: usize,
    pub(crate) repeated_expected: usize,
    pub(crate) products: Vec<Product>,
    /// The records of the topics; what could not be read as a fact is counted apart.
    pub(crate) order_records: Vec<Order>,
    pub(crate) decision_records: Vec<Decision>,
    pub(crate) unreadable_records: usize,
    pub(crate) dead_letters: usize,
    /// The decisions in the catalog's own database.
    pub(crate) catalog_decisions: Vec<Decided>,
    /// The read tables.
    pub(crate) order_rows: Vec<OrderRow>,
    pub(crate) decision_rows: Vec<Decided>,
    /// `GET /orders/{id}` of every accepted order; an error is the text of the answer.
    pub(crate) answers: Vec<(Uuid, Result<OrderView, String>)>,
    /// The order ids of all pages of `GET /users/{userId}/orders`, of all users.
    pub(crate) listed: Vec<Uuid>,
    /// Stock by product id: in the catalog's table, and as its REST API says.
    pub(crate) stock_rows: BTreeMap<i64, i64>,
    pub(crate) stock_answers: BTreeMap<i64, i64>,
    /// What another body under a used key was answered.
    pub(crate) conflict_status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decided {
    pub(crate) order_id: Uuid,
    pub(crate) outcome: String,
    pub(crate) reason: Option<String>,
}

impl Decided {
    fn verdict(&self) -> Verdict<'_> {
        (&self.outcome, self.reason.as_deref())
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OrderRow {
    pub(crate) order_id: Uuid,
    pub(crate) user_id: String,
    pub(crate) product_id: i64,
    pub(crate) qty: i32,
    pub(crate) unit_price: i64,
    pub(crate) total_price: i64,
}

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Check {
    pub(crate) what: String,
    pub(crate) expected: String,
    pub(crate) found: String,
    /// What differed, a few examples of it; empty means that it held.
    pub(crate) differences: Vec<String>,
}

impl Check {
    pub(crate) fn ok(&self) -> bool {
        self.differences.is_empty()
    }
}

/// All lines, and the sums for the last one.
pub(crate) struct Comparison {
    pub(crate) checks: Vec<Check>,
    pub(crate) lost: usize,
    pub(crate) doubled: usize,
    pub(crate) stock_exact: bool,
}

impl Comparison {
    pub(crate) fn held(&self) -> bool {
        self.lost == 0 && self.doubled == 0 && self.stock_exact && self.checks.iter().all(Check::ok)
    }
}

pub(crate) fn compare(seen: &Observed) -> Comparison {
    let mut places = Places::new(&seen.placed.accepted);
    let outcomes = outcomes(seen);
    let mut checks = client(seen);

    let ids = seen.order_records.iter().map(|order| order.order_id);
    let mut records = places.at_least_once("distinct orders in the topic", ids);
    records.differences.extend(wrong_records(seen));
    checks.push(records);
    checks.push(places.once("decisions in the catalog", seen.catalog_decisions.iter().map(|d| d.order_id)));
    let ids = seen.decision_records.iter().map(|decision| decision.order_id);
    checks.push(places.at_least_once("distinct decisions in the topic", ids));
    let mut rows = places.once("rows in the orders table", seen.order_rows.iter().map(|row| row.order_id));
    rows.differences.extend(wrong_rows(seen));
    checks.push(rows);
    checks.push(places.once("rows in the decisions table", seen.decision_rows.iter().map(|d| d.order_id)));
    let answered = seen.answers.iter().filter(|(_, answer)| answer.is_ok()).map(|(id, _)| *id);
    let mut answers = places.once("orders by GET, through the gateway", answered);
    answers.differences.extend(wrong_answers(seen));
    checks.push(answers);
    checks.push(places.once("orders in the users' lists", seen.listed.iter().copied()));

    checks.push(same_outcome(seen, &outcomes));
    checks.extend(reasons(seen, &outcomes));
    checks.push(none("unreadable records, dead letters", seen.unreadable_records + seen.dead_letters));
    let stock = stock(seen, &outcomes);
    let stock_exact = stock.iter().all(Check::ok);
    checks.extend(stock);
    Comparison { lost: places.lost.len(), doubled: places.doubled.len(), stock_exact, checks }
}

/// What the client met.
fn client(seen: &Observed) -> Vec<Check> {
    let placed = &seen.placed;
    let distinct: BTreeSet<Uuid> = placed.accepted.iter().map(|accepted| accepted.order_id).collect();
    let mut accepted = equal("orders accepted", seen.orders_expected, distinct.len());
    accepted.differences.extend(placed.wrong.clone());
    vec![
        accepted,
        equal("repeated, the same order each time", seen.repeated_expected, placed.repeated),
        equal("invalid requests refused with 4xx", seen.invalid_expected, placed.refused),
        equal("a used key with another body: status", 422, usize::from(seen.conflict_status)),
    ]
}

/// Compares places where orders show up with the accepted ones, and remembers which were lost or doubled anywhere.
struct Places {
    accepted: BTreeSet<Uuid>,
    lost: BTreeSet<Uuid>,
    doubled: BTreeSet<Uuid>,
}

impl Places {
    fn new(accepted: &[Accepted]) -> Self {
        let accepted = accepted.iter().map(|accepted| accepted.order_id).collect();
        Self { accepted, lost: BTreeSet::new(), doubled: BTreeSet::new() }
    }

    /// For topics, where a retry or a redelivery may repeat a fact.
    fn at_least_once(&mut self, what: &str, found: impl Iterator<Item = Uuid>) -> Check {
        let counted = count(found);
        let repeated: usize = counted.values().map(|times| times - 1).sum();
        let mut check = self.compare(what, &counted);
        if repeated > 0 {
            check.found = format!("{} (+{repeated} repeated)", check.found);
        }
        check
    }

    /// For everything else.
    fn once(&mut self, what: &str, found: impl Iterator<Item = Uuid>) -> Check {
        let counted = count(found);
        let mut check = self.compare(what, &counted);
        for (id, times) in counted.iter().filter(|(_, times)| **times > 1) {
            self.doubled.insert(*id);
            check.differences.push(format!("{id} is there {times} times"));
        }
        check
    }

    fn compare(&mut self, what: &str, found: &BTreeMap<Uuid, usize>) -> Check {
        let mut differences = Vec::new();
        for id in self.accepted.iter().filter(|id| !found.contains_key(id)) {
            self.lost.insert(*id);
            differences.push(format!("{id} was accepted and is missing"));
        }
        for id in found.keys().filter(|id| !self.accepted.contains(id)) {
            self.doubled.insert(*id);
            differences.push(format!("{id} is there and was not accepted"));
        }
        Check {
            what: what.into(),
            expected: self.accepted.len().to_string(),
            found: found.len().to_string(),
            differences,
        }
    }
}

fn count(ids: impl Iterator<Item = Uuid>) -> BTreeMap<Uuid, usize> {
    ids.fold(BTreeMap::new(), |mut counted, id| {
        *counted.entry(id).or_default() += 1;
        counted
    })
}

/// Records of one order may differ in the moment of the attempt only, and say what the client asked for.
fn wrong_records(seen: &Observed) -> Vec<String> {
    let accepted = by_id(seen);
    let fits = |order: &Order| {
        accepted.get(&order.order_id).is_none_or(|accepted| {
            let step = &accepted.step;
            order.idempotency_key.as_deref() == Some(step.idempotency_key.as_str())
                && (order.user_id.as_str(), order.product_id) == (step.user.as_str(), step.product_id)
                && (order.qty, order.unit_price) == (step.qty, step.unit_price)
        })
    };
    let wrong = seen.order_records.iter().filter(|order| !fits(order));
    wrong.map(|order| format!("the record of {} is not what was ordered", order.order_id)).collect()
}

fn wrong_rows(seen: &Observed) -> Vec<String> {
    let accepted = by_id(seen);
    let fits = |row: &OrderRow| {
        accepted.get(&row.order_id).is_none_or(|accepted| {
            let step = &accepted.step;
            (row.user_id.as_str(), row.product_id) == (step.user.as_str(), step.product_id)
                && (row.qty, row.unit_price) == (step.qty, step.unit_price)
                && row.total_price == step.unit_price * i64::from(step.qty)
        })
    };
    let wrong = seen.order_rows.iter().filter(|row| !fits(row));
    wrong.map(|row| format!("the row of {} is not what was ordered", row.order_id)).collect()
}

fn wrong_answers(seen: &Observed) -> Vec<String> {
    let accepted = by_id(seen);
    let judge = |(id, answer): &(Uuid, Result<OrderView, String>)| match answer {
        Err(error) => Some(format!("GET of {id}: {error}")),
        Ok(view) if accepted.get(id).is_some_and(|accepted| !view.shows(&accepted.step)) => {
            Some(format!("GET of {id} is not what was ordered"))
        }
        Ok(_) => None,
    };
    seen.answers.iter().filter_map(judge).collect()
}

fn by_id(seen: &Observed) -> HashMap<Uuid, &Accepted> {
    seen.placed.accepted.iter().map(|accepted| (accepted.order_id, accepted)).collect()
}

type Verdict<'a> = (&'a str, Option<&'a str>);

/// What the catalog's own database says became of each order.
fn outcomes(seen: &Observed) -> HashMap<Uuid, Verdict<'_>> {
    seen.catalog_decisions.iter().map(|decided| (decided.order_id, decided.verdict())).collect()
}

/// The catalog, the topic, the read table and the API agree on every order.
fn same_outcome(seen: &Observed, outcomes: &HashMap<Uuid, Verdict<'_>>) -> Check {
    let topic = seen.decision_records.iter().map(|decision| {
        ("the topic", decision.order_id, (decision.outcome.as_str(), decision.reason.as_deref()))
    });
    let table =
        seen.decision_rows.iter().map(|decided| ("the read table", decided.order_id, decided.verdict()));
    let api = seen.answers.iter().filter_map(|(id, answer)| {
        let view = answer.as_ref().ok()?;
        Some(("GET", *id, (view.status.as_str(), view.reason.as_deref())))
    });
    let mut differences = Vec::new();
    let mut differing = BTreeSet::new();
    for (place, id, verdict) in topic.chain(table).chain(api) {
        // an order without a decision in the catalog is counted as missing there
        if let Some(decided) = outcomes.get(&id).filter(|decided| **decided != verdict) {
            differing.insert(id);
            differences.push(format!("{id} is {decided:?} in the catalog and {verdict:?} in {place}"));
        }
    }
    let (expected, found) = ("0".to_owned(), differing.len().to_string());
    Check { what: "orders with different outcomes".into(), expected, found, differences }
}

/// Confirmed and rejected orders, each for the right reason.
fn reasons(seen: &Observed, outcomes: &HashMap<Uuid, Verdict<'_>>) -> Vec<Check> {
    let mut confirmed = tally("confirmed, of known products");
    let mut short = tally("rejected, beyond stock");
    let mut unknown = tally("rejected, unknown product");
    for Accepted { order_id, step } in &seen.placed.accepted {
        let Some(&(outcome, reason)) = outcomes.get(order_id) else { continue };
        let known = seen.products.iter().any(|product| product.id == step.product_id);
        let left = seen.stock_rows.get(&step.product_id).copied().unwrap_or_default();
        let (line, right) = if outcome == Outcome::Confirmed.as_str() {
            (&mut confirmed, known && reason.is_none())
        } else if reason == Some(Decision::UNKNOWN_PRODUCT) {
            (&mut unknown, !known)
        } else {
            // stock only falls, so what was short then is short now
            let was_short = known && i64::from(step.qty) > left;
            (&mut short, was_short && reason == Some(Decision::INSUFFICIENT_STOCK))
        };
        line.1 += 1;
        if !right {
            let why =
                format!("{order_id}: {outcome} {reason:?}, {} of product {}", step.qty, step.product_id);
            line.0.differences.push(why);
        }
    }
    let finish = |(mut check, count): (Check, usize)| {
        check.found = count.to_string();
        if count == 0 {
            check.differences.push("there is none, so this was not tested".into());
        }
        check
    };
    [confirmed, short, unknown].map(finish).into()
}

fn tally(what: &str) -> (Check, usize) {
    (Check { what: what.into(), expected: "some".into(), found: String::new(), differences: Vec::new() }, 0)
}

/// What is left of each product is what there was less what was confirmed, in the table and by REST.
fn stock(seen: &Observed, outcomes: &HashMap<Uuid, Verdict<'_>>) -> Vec<Check> {
    let sold = |product: &Product| -> i64 {
        let confirmed = |accepted: &&Accepted| {
            let outcome = outcomes.get(&accepted.order_id).map(|(outcome, _)| *outcome);
            accepted.step.product_id == product.id && outcome == Some(Outcome::Confirmed.as_str())
        };
        seen.placed.accepted.iter().filter(confirmed).map(|accepted| i64::from(accepted.step.qty)).sum()
    };
    let line = |product: &Product| {
        let expected = product.stock - sold(product);
        let row = seen.stock_rows.get(&product.id).copied();
        let answer = seen.stock_answers.get(&product.id).copied();
        let mut differences = Vec::new();
        if row != Some(expected) {
            differences.push(format!("the table says {row:?}, not {expected}"));
        }
        if answer != Some(expected) {
            differences.push(format!("GET says {answer:?}, not {expected}"));
        }
        if expected < 0 || row.is_some_and(|row| row < 0) {
            differences.push("more was confirmed than there was".into());
        }
        Check {
            what: format!("stock of product {} ({} before)", product.id, product.stock),
            expected: expected.to_string(),
            found: row.map_or_else(|| "none".into(), |row| row.to_string()),
            differences,
        }
    };
    seen.products.iter().map(line).collect()
}

fn equal(what: &str, expected: usize, found: usize) -> Check {
    let differences = if expected == found { vec![] } else { vec![format!("{found}, not {expected}")] };
    Check { what: what.into(), expected: expected.to_string(), found: found.to_string(), differences }
}

fn none(what: &str, found: usize) -> Check {
    equal(what, 0, found)
}

pub(super) mod rest;
#[cfg(test)]
mod tests;
