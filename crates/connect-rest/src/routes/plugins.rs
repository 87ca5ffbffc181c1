//! The plugins of this worker.

use super::{Audience, Parameter, Route};
use crate::answer::{Answer, Refusal, ok};
use crate::call::Call;
use crate::json;
use crate::wire::{ConfigInfos, ConfigKeyInfo, PluginInfo};
use connect_api::ConfigMap;

pub(super) const ROUTES: &[Route] = &[
    Route {
        method: "GET",
        path: "/connector-plugins",
        audience: Audience::Users,
        since: "0.9; `connectorsOnly` 3.2, KIP-769",
        summary: "The connector classes of this worker, or all its plugins.",
        parameters: &[Parameter {
            name: "connectorsOnly",
            meaning: "`false`: converters, header converters, transformations and predicates, too; default `true`",
        }],
        body: "",
        statuses: &[(200, "`[{\"class\", \"type\", \"version\"}, ...]`")],
        handler: |call| Box::pin(plugins(call)),
    },
    Route {
        method: "GET",
        path: "/connector-plugins/{plugin}/config",
        audience: Audience::Users,
        since: "3.2, KIP-769; `version` 4.1, KIP-891",
        summary: "The keys of a plugin: class, or a short name of it.",
        parameters: &[Parameter {
            name: "version",
            meaning: "a version or a range such as `[1.0,2.0)` that the plugin has to be of",
        }],
        body: "",
        statuses: &[
            (
                200,
                "`[{\"name\", \"type\", \"required\", \"default_value\", \"importance\", \"documentation\", \"group\", \
                 \"order_in_group\", \"width\", \"display_name\", \"dependents\"}, ...]`",
            ),
            (400, "the plugin is of another version"),
            (404, "there is no such plugin"),
        ],
        handler: |call| Box::pin(config(call)),
    },
    Route {
        method: "PUT",
        path: "/connector-plugins/{plugin}/config/validate",
        audience: Audience::Users,
        since: "0.10",
        summary: "What a configuration says for each key of a connector class, and what is wrong with it.",
        parameters: &[],
        body: "`{\"key\": \"value\", ...}`, `connector.class` in the spelling of the path",
        statuses: &[
            (
                200,
                "also for a configuration with faults: `{\"name\", \"error_count\", \"groups\", \"configs\": \
                 [{\"definition\", \"value\": {\"name\", \"value\", \"recommended_values\", \"errors\", \"visible\"}}]}`",
            ),
            (400, "`connector.class` is missing, unknown, or not the class in the path"),
        ],
        handler: |call| Box::pin(validate(call)),
    },
];

async fn plugins(call: Call) -> Answer {
    let plugins = call.herder.plugins(call.flag("connectorsOnly", true)).await;
    ok(plugins.into_iter().map(PluginInfo::from).collect::<Vec<_>>())
}

async fn config(call: Call) -> Answer {
    let keys = call.herder.plugin_config(call.plugin(), call.query("version").as_deref()).await?;
    ok(keys.into_iter().map(ConfigKeyInfo::from).collect::<Vec<_>>())
}

async fn validate(call: Call) -> Answer {
    // User interfaces send null for a field that was left empty: it is a fault of the configuration like any other.
    let given = json::parse_patch(call.text()?, "the body")?;
    let nulls: Vec<String> =
        given.iter().filter(|(_, value)| value.is_none()).map(|(key, _)| key.clone()).collect();
    let config: ConfigMap = given.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
    if let Some(class) = config.get("connector.class") {
        // Alike but for the suffix; the path may leave out the package.
        let without_suffix = |name: &str| match name.strip_suffix("Connector") {
            Some(rest) if !rest.is_empty() => rest.to_owned(),
            _ => name.to_owned(),
        };
        if !without_suffix(class).ends_with(&without_suffix(call.plugin())) {
            let plugin = call.plugin();
            return Err(Refusal::bad_request(format!(
                "Included connector type {class} does not match request type {plugin}"
            ))
            .into());
        }
    }
    let mut infos = ConfigInfos::from(call.herder.validate_config(call.plugin(), config).await?);
    for key in nulls {
        infos.add_null(key);
    }
    ok(infos)
}
