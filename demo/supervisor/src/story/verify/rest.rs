//! The comparison for a platform that is seen through its gateway only: the REST answers are all there is.

use super::*;
use crate::story::mix::Mix;

/// What was seen; the client's own part is as in the whole story.
pub(in crate::story) struct SeenByRest {
    pub(in crate::story) placed: Placed,
    pub(in crate::story) answers: Vec<(Uuid, Result<OrderView, String>)>,
    pub(in crate::story) listed: Vec<Uuid>,
    pub(in crate::story) stock: BTreeMap<i64, i64>,
    pub(in crate::story) conflict_status: u16,
}

pub(in crate::story) fn compare_rest(mix: &Mix, repetitions: usize, seen: SeenByRest) -> Comparison {
    // the API is asked for what the whole story finds in the catalog's database
    let decided = |(id, answer): &(Uuid, Result<OrderView, String>)| {
        let view = answer.as_ref().ok().filter(|view| view.status != "PLACED")?;
        Some(Decided { order_id: *id, outcome: view.status.clone(), reason: view.reason.clone() })
    };
    let seen = Observed {
        orders_expected: mix.orders().count(),
        invalid_expected: mix.invalid().count(),
        repeated_expected: mix.orders().filter(|step| step.repeated).count() * repetitions,
        products: mix.products.clone(),
        order_records: Vec::new(),
        decision_records: Vec::new(),
        unreadable_records: 0,
        dead_letters: 0,
        catalog_decisions: seen.answers.iter().filter_map(decided).collect(),
        order_rows: Vec::new(),
        decision_rows: Vec::new(),
        stock_rows: seen.stock.clone(),
        stock_answers: seen.stock,
        placed: seen.placed,
        answers: seen.answers,
        listed: seen.listed,
        conflict_status: seen.conflict_status,
    };
    let mut places = Places::new(&seen.placed.accepted);
    let outcomes = outcomes(&seen);
    let mut checks = client(&seen);
    let answered = seen.answers.iter().filter(|(_, answer)| answer.is_ok()).map(|(id, _)| *id);
    let mut answers = places.once("orders by GET, through the gateway", answered);
    answers.differences.extend(wrong_answers(&seen));
    checks.push(answers);
    checks.push(places.once("orders decided", seen.catalog_decisions.iter().map(|d| d.order_id)));
    checks.push(places.once("orders in the users' lists", seen.listed.iter().copied()));
    checks.extend(reasons(&seen, &outcomes));
    let stock = stock(&seen, &outcomes);
    let stock_exact = stock.iter().all(Check::ok);
    checks.extend(stock);
    Comparison { lost: places.lost.len(), doubled: places.doubled.len(), stock_exact, checks }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A platform in which every order of a known product is confirmed and nothing is sold out.
    fn seen(mix: &Mix) -> SeenByRest {
        let mut stock: BTreeMap<i64, i64> = mix.products.iter().map(|it| (it.id, it.stock)).collect();
        let mut placed = Placed { refused: mix.invalid().count(), ..Placed::default() };
        let mut answers = Vec::new();
        for step in mix.orders() {
            let order_id = Uuid::from_u128(answers.len() as u128 + 1);
            let left = stock.get_mut(&step.product_id);
            let (status, reason) = match left {
                None => ("REJECTED", Some(Decision::UNKNOWN_PRODUCT.to_owned())),
                Some(left) if *left < i64::from(step.qty) => {
                    // never refilled, so what comes later is short too unless it is smaller
                    ("REJECTED", Some(Decision::INSUFFICIENT_STOCK.to_owned()))
                }
                Some(left) => {
                    *left -= i64::from(step.qty);
                    ("CONFIRMED", None)
                }
            };
            let view = OrderView {
                order_id,
                user_id: step.user.clone(),
                product_id: step.product_id,
                qty: step.qty,
                unit_price: step.unit_price,
                total_price: step.unit_price * i64::from(step.qty),
                status: status.into(),
                reason,
            };
            answers.push((order_id, Ok(view)));
            placed.accepted.push(Accepted { order_id, step: step.clone() });
            placed.repeated += 2 * usize::from(step.repeated);
        }
        let listed = answers.iter().map(|(id, _)| *id).collect();
        SeenByRest { placed, answers, listed, stock, conflict_status: 422 }
    }

    #[track_caller]
    fn fails(what: &str, change: impl FnOnce(&mut SeenByRest)) {
        let mix = Mix::new(100, 1);
        let mut seen = seen(&mix);
        change(&mut seen);
        assert!(!compare_rest(&mix, 2, seen).held(), "{what}");
    }

    #[test]
    fn a_good_run_holds_and_each_fault_is_found() {
        let mix = Mix::new(100, 1);
        let good = compare_rest(&mix, 2, seen(&mix));
        assert!(good.held(), "{}", crate::story::report::table(&good));

        fails("lost", |seen| seen.answers[3].1 = Err("404".into()));
        fails("doubled", |seen| {
            let again = seen.listed[0];
            seen.listed.push(again);
        });
        fails("undecided", |seen| {
            if let Ok(view) = &mut seen.answers[3].1 {
                view.status = "PLACED".into();
            }
        });
        fails("another amount", |seen| {
            if let Ok(view) = &mut seen.answers[3].1 {
                view.total_price += 1;
            }
        });
        fails("sold twice", |seen| *seen.stock.values_mut().next().expect("a product") -= 1);
        fails("a key used for two orders", |seen| seen.conflict_status = 201);
    }
}
