//! What a person reads when everything is up: what to open, and what to type.

use crate::args::Store;
use crate::plan::Settings;

pub(crate) fn text(settings: &Settings) -> String {
    let gateway = settings.gateway_url();
    let token = &settings.operator_token;
    let connector = &settings.names.connector;
    let logs = settings.logs_dir();
    let logs = logs.display();
    let mut text = format!(
        "
Everything is up. Open {gateway}

Operator token (for /connect and for changes to the catalog; new at every start):

  TOKEN={token}

New here? Open a second terminal, and docs/lessons/en/01-one-service.md (Korean: docs/lessons/ko).

Place an order, and see it decided, listed, and gone from the stock:

  curl -i {gateway}/order-service/users/alice/orders \\
    -H 'Content-Type: application/json' -H 'Idempotency-Key: first-try' \\
    -d '{{\"productId\":1,\"qty\":2,\"unitPrice\":1500}}'
  curl {gateway}/order-service/users/alice/orders
  curl {gateway}/catalog-service/products/1

The same command again is the same order. Look into the topics and the tables:

  cargo demo -- topics
  cargo demo -- consume --topic orders --from-beginning --property print.key=true
  cargo demo -- sql orders \"SELECT * FROM orders\"

Kill a service (its name: `cargo demo -- ps`), which is then started again: cargo demo -- kill order-service-1

The connector that carries orders into the database:

  curl -H \"Authorization: Bearer $TOKEN\" {gateway}/connect/connectors/{connector}/status
"
    );
    if settings.store == Store::Local {
        let [first, second] = settings.order_service_urls();
        text.push_str(&format!(
            "
This is --store local: each of the two order services keeps its orders in a file of its own. Place an order, then ask
several times: the answer depends on who is asked, and none of them learns what the catalog decided:

  for i in 1 2 3 4; do curl -s {gateway}/order-service/users/alice/orders; echo; done
  curl {first}/users/alice/orders
  curl {second}/users/alice/orders

`cargo demo` without --store local shows the cure.
"
        ));
    }
    if settings.kafka.is_some() {
        text.push_str("\nTopics and databases of this demo stay when it ends.\n");
    }
    text.push_str(&format!("\nLogs: {logs}\nCtrl-C stops everything."));
    text
}
