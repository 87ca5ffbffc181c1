use super::super::mix::Mix;
use super::super::report;
use super::*;

/// What is seen when everything went well: a tiny platform that decides in the order of placing.
fn good() -> Observed {
    let mix = Mix::new(60, 1);
    let mut stock: BTreeMap<i64, i64> = mix.products.iter().map(|p| (p.id, p.stock)).collect();
    let mut placed = Placed { refused: 5, repeated: 12, ..Placed::default() };
    let mut seen = Observed {
        placed: Placed::default(),
        orders_expected: 60,
        invalid_expected: 5,
        repeated_expected: 12,
        products: mix.products.clone(),
        order_records: Vec::new(),
        decision_records: Vec::new(),
        unreadable_records: 0,
        dead_letters: 0,
        catalog_decisions: Vec::new(),
        order_rows: Vec::new(),
        decision_rows: Vec::new(),
        answers: Vec::new(),
        listed: Vec::new(),
        stock_rows: BTreeMap::new(),
        stock_answers: BTreeMap::new(),
        conflict_status: 422,
    };
    for step in mix.orders() {
        let order_id = Uuid::new_v4();
        let (outcome, reason) = match stock.get_mut(&step.product_id) {
            None => (Outcome::Rejected, Some(Decision::UNKNOWN_PRODUCT.to_owned())),
            Some(left) if *left < i64::from(step.qty) => {
                (Outcome::Rejected, Some(Decision::INSUFFICIENT_STOCK.to_owned()))
            }
            Some(left) => {
                *left -= i64::from(step.qty);
                (Outcome::Confirmed, None)
            }
        };
        let total_price = step.unit_price * i64::from(step.qty);
        let decided = Decided { order_id, outcome: outcome.as_str().into(), reason: reason.clone() };
        seen.order_records.push(Order {
            order_id,
            user_id: step.user.clone(),
            product_id: step.product_id,
            qty: step.qty,
            unit_price: step.unit_price,
            total_price,
            created_at: 1,
            idempotency_key: Some(step.idempotency_key.clone()),
        });
        seen.order_rows.push(OrderRow {
            order_id,
            user_id: step.user.clone(),
            product_id: step.product_id,
            qty: step.qty,
            unit_price: step.unit_price,
            total_price,
        });
        let view = OrderView {
            order_id,
            user_id: step.user.clone(),
            product_id: step.product_id,
            qty: step.qty,
            unit_price: step.unit_price,
            total_price,
            status: outcome.as_str().into(),
            reason: reason.clone(),
        };
        seen.decision_records.push(Decision { order_id, outcome, reason, decided_at: 2 });
        seen.catalog_decisions.push(decided.clone());
        seen.decision_rows.push(decided);
        seen.answers.push((order_id, Ok(view)));
        seen.listed.push(order_id);
        placed.accepted.push(Accepted { order_id, step: step.clone() });
    }
    seen.placed = placed;
    seen.stock_answers = stock.clone();
    seen.stock_rows = stock;
    seen
}

/// Spoils a good observation, and gives the comparison, which must not hold, with its report.
fn spoilt(spoil: impl FnOnce(&mut Observed)) -> (Comparison, String) {
    let mut seen = good();
    spoil(&mut seen);
    let comparison = compare(&seen);
    let report = report::table(&comparison);
    assert!(!comparison.held(), "{report}");
    assert!(report.contains("NO") && report.contains("did not hold"), "{report}");
    (comparison, report)
}

#[test]
fn a_good_run_holds_and_says_so() {
    let comparison = compare(&good());
    let report = report::table(&comparison);
    assert!(comparison.held(), "{report}");
    assert!(report.ends_with("\n0 lost, 0 doubled, stock exact"), "{report}");
    assert!(!report.contains("NO"), "{report}");
}

#[test]
fn a_repeated_record_is_counted_and_no_fault() {
    let mut seen = good();
    let again = Order { created_at: 99, ..seen.order_records[0].clone() };
    seen.order_records.push(again);
    let comparison = compare(&seen);
    let report = report::table(&comparison);
    assert!(comparison.held() && report.contains("60 (+1 repeated)"), "{report}");
}

#[test]
fn a_repeated_record_that_says_something_else_is_a_fault() {
    spoilt(|seen| {
        let other = Order { qty: seen.order_records[0].qty + 1, ..seen.order_records[0].clone() };
        seen.order_records.push(other);
    });
}

#[test]
fn an_order_that_is_missing_anywhere_is_lost() {
    let places: [fn(&mut Observed); 7] = [
        |seen| drop(seen.order_records.pop()),
        |seen| drop(seen.decision_records.pop()),
        |seen| drop(seen.catalog_decisions.pop()),
        |seen| drop(seen.order_rows.pop()),
        |seen| drop(seen.decision_rows.pop()),
        |seen| drop(seen.answers.pop()),
        |seen| seen.listed.truncate(seen.listed.len() - 1),
    ];
    for spoil in places {
        let (comparison, report) = spoilt(spoil);
        assert_eq!((comparison.lost, comparison.doubled), (1, 0), "{report}");
    }
}

#[test]
fn an_answer_that_is_an_error_is_a_lost_order() {
    let (comparison, report) = spoilt(|seen| seen.answers[0].1 = Err("404 Not Found".into()));
    assert_eq!(comparison.lost, 1);
    assert!(report.contains("404 Not Found"), "{report}");
}

#[test]
fn an_order_that_is_there_twice_is_doubled() {
    let places: [fn(&mut Observed); 3] = [
        |seen| seen.order_rows.push(seen.order_rows[0].clone()),
        |seen| seen.catalog_decisions.push(seen.catalog_decisions[0].clone()),
        |seen| seen.listed.push(seen.listed[0]),
    ];
    for spoil in places {
        let (comparison, report) = spoilt(spoil);
        assert_eq!((comparison.lost, comparison.doubled), (0, 1), "{report}");
    }
}

#[test]
fn an_order_nobody_was_told_of_is_doubled() {
    let (comparison, _) = spoilt(|seen| {
        // a retry that became a second order, all the way through
        let stranger = Order { order_id: Uuid::new_v4(), ..seen.order_records[0].clone() };
        seen.order_records.push(stranger);
    });
    assert_eq!((comparison.lost, comparison.doubled), (0, 1));
}

#[test]
fn a_wrong_stock_is_no_exact_stock() {
    let (comparison, report) = spoilt(|seen| *seen.stock_rows.values_mut().next().unwrap() -= 1);
    assert!(!comparison.stock_exact && report.contains("stock WRONG"), "{report}");
    let (comparison, _) = spoilt(|seen| *seen.stock_answers.values_mut().next().unwrap() += 1);
    assert!(!comparison.stock_exact);
}

#[test]
fn more_confirmed_than_there_was_is_no_exact_stock() {
    let (comparison, report) = spoilt(|seen| {
        // a product that had nothing, and whose orders were all confirmed
        let product = seen.products.iter().find(|product| product.stock > 0).unwrap().id;
        seen.products.iter_mut().find(|candidate| candidate.id == product).unwrap().stock = 0;
        let left = seen.stock_rows[&product];
        let sold = good().products.iter().find(|candidate| candidate.id == product).unwrap().stock - left;
        seen.stock_rows.insert(product, -sold);
        seen.stock_answers.insert(product, -sold);
    });
    assert!(!comparison.stock_exact && report.contains("more was confirmed"), "{report}");
}

#[test]
fn one_outcome_that_differs_anywhere_is_a_fault() {
    let places: [fn(&mut Observed); 3] = [
        |seen| seen.decision_rows[0].outcome = "MAYBE".into(),
        |seen| seen.decision_records[0].reason = Some("MOOD".into()),
        |seen| seen.answers[0].1.as_mut().unwrap().status = "PLACED".into(),
    ];
    for spoil in places {
        let (_, report) = spoilt(spoil);
        assert!(report.contains("in the catalog and"), "{report}");
    }
}

#[test]
fn a_rejection_for_the_wrong_reason_is_a_fault() {
    for (from, to) in [
        (Decision::UNKNOWN_PRODUCT, Decision::INSUFFICIENT_STOCK),
        (Decision::INSUFFICIENT_STOCK, Decision::UNKNOWN_PRODUCT),
    ] {
        spoilt(|seen| {
            let wrong =
                seen.catalog_decisions.iter().position(|d| d.reason.as_deref() == Some(from)).unwrap();
            let id = seen.catalog_decisions[wrong].order_id;
            let to = || Some(to.to_owned());
            seen.catalog_decisions[wrong].reason = to();
            seen.decision_rows.iter_mut().filter(|d| d.order_id == id).for_each(|d| d.reason = to());
            seen.decision_records.iter_mut().filter(|d| d.order_id == id).for_each(|d| d.reason = to());
            let answers = seen.answers.iter_mut().filter(|(answer, _)| *answer == id);
            answers.for_each(|(_, answer)| answer.as_mut().unwrap().reason = to());
        });
    }
}

#[test]
fn what_the_client_met_counts_too() {
    spoilt(|seen| seen.placed.refused -= 1);
    spoilt(|seen| seen.placed.repeated -= 1);
    spoilt(|seen| seen.placed.wrong.push("a 500".into()));
    spoilt(|seen| seen.conflict_status = 201);
    spoilt(|seen| seen.dead_letters = 1);
    // an order that was never accepted is lost to nobody, and still no success
    spoilt(|seen| seen.orders_expected += 1);
}
