//! What every container takes and may take.

use std::process::Command;

use anyhow::{Context, bail, ensure};

use super::engine::output;
use super::project::Project;

#[derive(Debug, PartialEq)]
struct Usage {
    name: String,
    mib: f64,
}

struct Rules {
    name: String,
    limit_mib: u64,
    read_only: bool,
    ours: bool,
    out_of_memory: bool,
}

/// Prints the table; fails if a container has no limit, met it, or all limits together are more than `allowed`.
pub(super) fn containers(project: &Project, allowed: u64) -> anyhow::Result<()> {
    let ids = project.containers(None)?;
    let platform = project.setting("PLATFORM_IMAGE")?;
    let format = "{{.Name}}\t{{.HostConfig.Memory}}\t{{.HostConfig.ReadonlyRootfs}}\t{{.Config.Image}}\t{{.State.OOMKilled}}\
                  \t{{.State.Status}}";
    let text = output(Command::new("docker").args(["inspect", "--format", format]).args(&ids))?;
    // what has ended takes nothing
    let running: Vec<Rules> = text
        .lines()
        .filter(|line| line.ends_with("running"))
        .map(|line| rules(line, &platform))
        .collect::<Result<_, _>>()?;
    let format = "{{.Name}}\t{{.MemUsage}}";
    let text = output(Command::new("docker").args(["stats", "--no-stream", "--format", format]).args(&ids))?;
    let usages: Vec<Usage> = text.lines().map(usage).collect::<Result<_, _>>()?;

    let (mut used, mut limits, mut faults) = (0.0, 0, Vec::new());
    println!("\n{:<44} {:>9} {:>9}", "container", "used MiB", "limit MiB");
    for rules in &running {
        let usage = usages.iter().find(|usage| usage.name == rules.name);
        let mib = usage.with_context(|| format!("docker stats does not know {}", rules.name))?.mib;
        println!("{:<44} {mib:>9.1} {:>9}", rules.name, rules.limit_mib);
        used += mib;
        limits += rules.limit_mib;
        if rules.limit_mib == 0 {
            faults.push(format!("{} has no memory limit", rules.name));
        }
        if rules.out_of_memory {
            faults.push(format!("{} was killed at its memory limit", rules.name));
        }
        if rules.ours && !rules.read_only {
            faults.push(format!("{} can write to its root filesystem", rules.name));
        }
    }
    println!("{:<44} {used:>9.1} {limits:>9}   (allowed: {allowed})\n", "all");
    if limits > allowed {
        faults.push(format!("the limits add up to {limits} MiB, allowed are {allowed}"));
    }
    ensure!(faults.is_empty(), "{}", faults.join("; "));
    Ok(())
}

fn rules(line: &str, platform: &str) -> anyhow::Result<Rules> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [name, memory, read_only, image, out_of_memory, _] = fields[..] else {
        bail!("docker inspect said {line}")
    };
    Ok(Rules {
        name: name.trim_start_matches('/').into(),
        limit_mib: memory.parse::<u64>().with_context(|| format!("the limit of {name}"))? / (1 << 20),
        read_only: read_only == "true",
        ours: image == platform,
        out_of_memory: out_of_memory == "true",
    })
}

/// Reads `name<TAB>12.5MiB / 64MiB`.
fn usage(line: &str) -> anyhow::Result<Usage> {
    let fault = || format!("docker stats said {line:?}");
    let (name, usage) = line.split_once('\t').with_context(fault)?;
    let used = usage.split(" / ").next().unwrap_or_default().trim();
    let units = [("GiB", 1024.0), ("MiB", 1.0), ("KiB", 1.0 / 1024.0), ("kB", 0.001), ("B", 0.0)];
    let (number, factor) = units
        .into_iter()
        .find_map(|(unit, factor)| Some((used.strip_suffix(unit)?, factor)))
        .with_context(fault)?;
    let number: f64 = number.parse().with_context(fault)?;
    Ok(Usage { name: name.into(), mib: number * factor })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_docker_stats_says() {
        let mib = |text: &str| usage(&format!("shop_gateway_1\t{text} / 64MiB")).map(|usage| usage.mib).ok();
        assert_eq!(mib("12.5MiB"), Some(12.5));
        assert_eq!(mib("1.5GiB"), Some(1536.0));
        assert_eq!(mib("512KiB"), Some(0.5));
        assert_eq!(mib("0B"), Some(0.0));
        assert_eq!(mib("--"), None);
    }
}
