use super::*;
use crate::testing::config;
use std::fs;
use std::path::Path;

struct Folder(std::path::PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("config-providers-{test}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(path.join("allowed")).unwrap();
        fs::write(path.join("allowed/x.properties"), "password=geheim\nuser=scott\nempty=\n").unwrap();
        fs::write(path.join("allowed/token"), "abc\n").unwrap();
        fs::write(path.join("outside.properties"), "password=other\n").unwrap();
        Self(path)
    }

    fn path(&self, below: &str) -> String {
        self.0.join(below).display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn providers(pairs: &[(&str, &str)]) -> Result<ConfigProviders, Vec<ConfigFault>> {
    let environment = [("DB_PASSWORD", "tiger"), ("HOME", "/root")];
    ConfigProviders::with_environment(
        &config(pairs),
        environment.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())),
    )
}

fn all(allowed: &Path) -> ConfigProviders {
    let allowed = allowed.display().to_string();
    providers(&[
        ("config.providers", "file, dir,env"),
        ("config.providers.file.class", CLASSES[0]),
        ("config.providers.file.param.allowed.paths", &allowed),
        ("config.providers.dir.class", "DirectoryConfigProvider"),
        ("config.providers.dir.param.allowed.paths", &allowed),
        ("config.providers.env.class", CLASSES[2]),
        ("config.providers.env.param.allowlist.pattern", "DB_.*"),
    ])
    .unwrap_or_else(|faults| panic!("{faults:?}"))
}

fn value(providers: &ConfigProviders, text: &str) -> Result<String, String> {
    let resolved = providers.resolve(&config(&[("k", text)]));
    resolved.map(|resolved| resolved.config["k"].clone()).map_err(|error| error.to_string())
}

#[test]
fn placeholders_are_replaced_once_and_where_they_are_known() {
    let folder = Folder::new("replaced");
    let providers = all(&folder.0.join("allowed"));
    let file = folder.path("allowed/x.properties");
    for (text, expected) in [
        ("plain", "plain".to_owned()),
        (&format!("${{file:{file}:password}}"), "geheim".into()),
        (&format!("u=${{file:{file}:user}}, p=${{file:{file}:password}}!"), "u=scott, p=geheim!".into()),
        (&format!("${{file:{file}:empty}}"), String::new()),
        (&format!("${{dir:{}:token}}", folder.path("allowed")), "abc\n".into()),
        ("${env:DB_PASSWORD}", "tiger".into()),
        ("${vault:a:b}", "${vault:a:b}".into()),
        ("${vault:a} ${env:DB_PASSWORD} ${x", "${vault:a} tiger ${x".into()),
        ("${topic}-${timestamp}", "${topic}-${timestamp}".into()),
        ("$${env:DB_PASSWORD}}", "$tiger}".into()),
    ] {
        assert_eq!(value(&providers, text), Ok(expected), "{text}");
    }
    let two = config(&[("a", "${env:DB_PASSWORD}"), ("b", "x${env:DB_PASSWORD}"), ("c", "c")]);
    let resolved = providers.resolve(&two).unwrap();
    assert_eq!(resolved.secrets, ["tiger"]);
    assert_eq!(resolved.config, config(&[("a", "tiger"), ("b", "xtiger"), ("c", "c")]));
    assert_eq!(ConfigProviders::default().resolve(&two).unwrap().config, two);
}

#[test]
fn what_is_not_there_is_named_without_any_value() {
    let folder = Folder::new("missing");
    let providers = all(&folder.0.join("allowed"));
    let file = folder.path("allowed/x.properties");
    let large = folder.path("allowed/large");
    fs::write(&large, vec![b'a'; 1 << 21]).unwrap();
    fs::write(folder.path("allowed/bad.properties"), "a=geheim\nb=\\uZZZZ").unwrap();
    for (text, expected) in [
        (format!("${{file:{file}:nope}}"), "x.properties has no key nope"),
        (format!("${{file:{}:a}}", folder.path("allowed/none")), "none cannot be read (No such file"),
        (
            format!("${{file:{}:a}}", folder.path("allowed/bad.properties")),
            "bad.properties: line 2: in the value of b",
        ),
        (format!("${{file:{large}:a}}"), "large is larger than 1048576 bytes"),
        ("${file:a}".into(), "the placeholder names no path"),
        (
            format!("${{file:{}:password}}", folder.path("outside.properties")),
            "is not below any of allowed.paths",
        ),
        (
            format!("${{file:{}:password}}", folder.path("allowed/../outside.properties")),
            "outside.properties is not below any of allowed.paths",
        ),
        ("${file:x.properties:password}".into(), "is not absolute"),
        (format!("${{dir:{}:../outside.properties}}", folder.path("allowed")), "is no name of a file"),
        (format!("${{dir:{file}:token}}"), "x.properties is no directory"),
        (format!("${{dir:{}:none}}", folder.path("allowed")), "none cannot be read"),
        ("${env:HOME}".into(), "no variable HOME, or allowlist.pattern does not allow it"),
        ("${env:path:DB_PASSWORD}".into(), "has no path"),
    ] {
        let error = value(&providers, &text).unwrap_err();
        assert!(error.contains(expected), "{text}: {error}");
        assert!(error.starts_with(&format!("Invalid value {text} for configuration k: ")), "{error}");
        assert!(!error.contains("geheim") && !error.contains("/root"), "{error}");
    }
    assert!(value(&providers, &format!("${{file:{}:a}}", "/dev/zero")).is_err());
}

#[test]
fn a_devices_bytes_are_never_waited_for() {
    let open = providers(&[("config.providers", "f"), ("config.providers.f.class", CLASSES[0])]).unwrap();
    let error = value(&open, "${f:/dev/zero:a}").unwrap_err();
    assert!(error.contains("/dev/zero is no file"), "{error}");
}

#[test]
fn a_wrong_provider_is_named() {
    let faults = providers(&[
        ("config.providers", "a,b,c,d,"),
        ("config.providers.b.class", "com.example.Vault"),
        ("config.providers.c.class", CLASSES[1]),
        ("config.providers.c.param.allowed.paths", "relative"),
        ("config.providers.d.class", CLASSES[2]),
        ("config.providers.d.param.allowlist.pattern", "("),
    ])
    .err()
    .unwrap();
    let keys: Vec<_> = faults.iter().map(|fault| fault.key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "config.providers.a.class",
            "config.providers.b.class",
            "config.providers.c.param.allowed.paths",
            "config.providers.d.param.allowlist.pattern"
        ]
    );
    assert!(faults[1].message.contains("com.example.Vault"), "{}", faults[1].message);
}
