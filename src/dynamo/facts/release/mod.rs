//! What is known of Dynamo's releases, one record per line of releases with the same command line.
//!
//! No code asks for a version number: it asks the record ([`record::Release`]). A new line of releases is a new file with a new
//! record and a row in [`ALL`]; what it does not say the compiler asks for. The newest line is written in full
//! ([`v1_6`]), and each older one says what differs from the next (`..v1_6::RELEASE`): begin there.

pub(crate) mod record;
pub(crate) mod v1_0;
pub(crate) mod v1_1;
pub(crate) mod v1_2;
pub(crate) mod v1_3;
pub(crate) mod v1_4;
pub(crate) mod v1_5;
pub(crate) mod v1_6;

use crate::dynamo::terms::objection::Refusal;
pub(crate) use record::Release;

/// Every release that can be run, oldest first.
pub(crate) const ALL: &[&Release] = &[
    &v1_0::RELEASE,
    &v1_1::RELEASE,
    &v1_2::RELEASE,
    &v1_3::RELEASE,
    &v1_4::RELEASE,
    &v1_5::RELEASE,
    &v1_6::RELEASE,
];

/// The newest version known.
pub(crate) fn newest() -> &'static str {
    newest_of(ALL)
}

/// The newest version of these releases.
pub(in crate::dynamo) fn newest_of(releases: &[&'static Release]) -> &'static str {
    releases.last().and_then(|release| release.versions.last()).copied().unwrap_or_default()
}

/// The record for an exact version.
pub(crate) fn find(
    releases: &[&'static Release],
    version: &str,
) -> Result<(&'static Release, &'static str), Refusal> {
    let known = || releases.iter().flat_map(|release| release.versions.iter().map(|v| (*release, *v)));
    known().find(|(_, known)| *known == version).ok_or_else(|| {
        Refusal::new(
            format!("this provider does not know Dynamo {version:?}"),
            format!("the nearest versions it knows are {}", near(known().map(|(_, v)| v).collect(), version)),
        )
    })
}

/// The [`NEAR`] that are nearest to what was asked for, in their order; the newest where that is no version.
fn near(mut known: Vec<&str>, wanted: &str) -> String {
    known.reverse();
    if let Some(wanted) = parts(wanted) {
        known.sort_by_key(|version| parts(version).map(|version| distance(version, wanted)));
    }
    known.truncate(NEAR);
    known.sort_by_key(|version| parts(version));
    known.join(", ")
}

/// How many versions an error names.
const NEAR: usize = 3;

/// Major, minor, patch. Whatever stands behind its number (`0.post1`, `0rc2`) says nothing of how near it is.
fn parts(version: &str) -> Option<[u32; 3]> {
    let number = |part: &str| {
        let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    };
    let mut numbers = version.trim().trim_start_matches('v').splitn(3, '.').map(number);
    Some([numbers.next()??, numbers.next()??, numbers.next().unwrap_or(Some(0))?])
}

/// How far apart they are on the line on which all versions stand, so that 0.9 is next to 1.0 and not to 1.6.
fn distance(one: [u32; 3], other: [u32; 3]) -> u64 {
    let place = |[major, minor, patch]: [u32; 3]| {
        let [minor, patch] = [minor, patch].map(|number| u64::from(number.min(9_999)));
        (u64::from(major) * 10_000 + minor) * 10_000 + patch
    };
    place(one).abs_diff(place(other))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::dynamo::check::env;
    use crate::dynamo::facts::connector::{ConnectorFacts, RoleFacts};
    use crate::dynamo::facts::engine::EngineFacts;
    use crate::dynamo::facts::router::OptionFlag;
    use crate::dynamo::facts::topology::{PassedBy, ServiceImage, WorkerPort};
    use crate::dynamo::terms::words::{Mode, NetworkMode};
    use crate::dynamo::terms::{image, paths};
    use crate::dynamo::tests::test_release;

    fn all() -> impl Iterator<Item = &'static Release> {
        test_release::ALL.iter().copied()
    }

    fn assert_unique<T: Ord + std::fmt::Debug>(what: &str, items: impl IntoIterator<Item = T>) {
        let mut seen = BTreeSet::new();
        for item in items {
            let text = format!("{what}: {item:?} twice");
            assert!(seen.insert(item), "{text}");
        }
    }

    #[test]
    fn versions_parse_ascend_and_are_in_one_record() {
        let versions: Vec<_> = ALL.iter().flat_map(|release| release.versions).collect();
        assert!(!versions.is_empty());
        assert!(versions.is_sorted_by_key(|version| parts(version).unwrap()));
        assert_unique("version", &versions);
        assert_eq!(newest(), *versions[versions.len() - 1]);
        for release in ALL {
            assert!(release.versions.iter().all(|version| version.starts_with(release.line)));
        }
    }

    #[test]
    fn an_unknown_version_is_answered_with_the_nearest() {
        for (wanted, nearest) in [
            ("1.6.7", "1.6.1"),
            ("9.9.9", "1.6.1"),
            ("latest", "1.6.1"),
            ("v0.1", "0.0.1"),
            ("1.3.9", "1.3.0, 1.3.1"),
        ] {
            let refusal = find(test_release::ALL, wanted).unwrap_err();
            assert!(refusal.fix.contains(nearest), "{wanted}: {}", refusal.fix);
        }
        for (wanted, nearest) in [
            ("0.9.1", "1.0.0, 1.0.1, 1.0.2"),
            ("1.2.0.post1", "1.1.1, 1.2.0, 1.2.1"),
            (" 1.0.1", "1.0.0, 1.0.1, 1.0.2"),
            ("2.0.0", "1.5.1, 1.6.0, 1.6.1"),
            ("4294967295.4294967295.4294967295", "1.5.1, 1.6.0, 1.6.1"),
        ] {
            let refusal = find(ALL, wanted).unwrap_err();
            assert!(refusal.fix.ends_with(nearest), "{wanted}: {}", refusal.fix);
        }
        assert!(find(ALL, "1.6.1").is_ok());
    }

    #[test]
    fn every_image_has_a_tag() {
        for release in all() {
            let engines = release
                .engines
                .iter()
                .flat_map(|engine| release.versions.iter().map(|version| release.image(engine, version)));
            let services = release.topologies.iter().flat_map(|row| row.services);
            let separate = services.filter_map(|service| match service.image {
                ServiceImage::Separate(image) => Some(image.to_owned()),
                ServiceImage::Bundled { .. } => None,
            });
            for name in engines.chain(separate) {
                assert!(image::reference(&name).is_ok(), "{name}");
                assert!(name.rsplit('/').next().unwrap().contains(':'), "{name}");
            }
        }
    }

    #[test]
    fn router_modes_and_options_are_spelled_once() {
        for release in all() {
            assert_unique("mode", release.router_modes.iter().map(|mode| mode.word));
            assert!(release.router_mode(release.default_router_mode().word).is_some());
            assert!(release.router_modes.iter().any(|mode| mode.kv));
            assert_unique("option", release.router_options.iter().map(|row| row.option));
            let flags = release.router_options.iter().flat_map(|row| match row.flag {
                OptionFlag::Value(flag) => vec![flag],
                OptionFlag::Switch { on, off } => vec![on, off],
            });
            let frontend = &release.frontend;
            let flags: Vec<_> =
                flags.chain([release.router_mode_flag, frontend.address_flag, frontend.port_flag]).collect();
            assert!(flags.iter().all(|flag| flag.starts_with("--") && !flag.contains('_')), "{flags:?}");
            assert_unique("flag", flags);
        }
    }

    #[test]
    fn engines_are_told_each_thing_once() {
        for release in all() {
            assert_unique("engine", release.engines.iter().map(|facts| facts.engine));
            for facts in release.engines {
                let own = [facts.model_flag, facts.served_name_flag];
                let args = facts.serving.iter().flat_map(|row| row.args);
                let args = args.chain(facts.events.iter().flat_map(|events| events.args)).copied();
                let flags = ports_of(facts).filter_map(|port| match port.told {
                    PassedBy::Flag(flag) => Some(flag),
                    PassedBy::Env(_) | PassedBy::Inline => None,
                });
                for flag in own.into_iter().chain(args).chain(flags).filter_map(|arg| arg.strip_prefix("--"))
                {
                    let reserved = facts.reserved_args().any(|(name, _)| name == flag);
                    assert!(reserved, "{:?}: --{flag} is ours and may be given by users", facts.engine);
                }
                assert_unique("reserved", facts.reserved_args().map(|(name, _)| name));
                assert_unique("serving", facts.serving.iter().map(|row| (row.mode, row.role)));
                assert!(!facts.serving.is_empty());
                let roles_of =
                    |row: &ConnectorFacts| row.roles.iter().map(|role| role.role).collect::<Vec<_>>();
                let kept = |row: &ConnectorFacts| (row.mode, row.connector, row.server.is_some());
                assert_unique("connector", facts.connectors.iter().map(kept));
                for row in facts.connectors {
                    assert!(facts.has_mode(row.mode));
                    assert!(roles_of(row).iter().all(|role| facts.serving(row.mode, *role).is_some()));
                    assert_unique("role", roles_of(row));
                }
                for mode in Mode::ALL.iter().filter(|mode| facts.has_mode(**mode)) {
                    assert!(facts.connectors.iter().any(|row| row.mode == *mode), "{mode:?} has no default");
                }
                let shared = facts.shared_args.iter().chain(facts.role_args).chain(facts.parallel_args);
                assert_unique("argument", shared.clone());
                for name in shared.copied().chain(facts.default_args.iter().map(|row| row.name)) {
                    assert!(facts.reserved_args().all(|(reserved, _)| !reserved.starts_with(name)), "{name}");
                }
            }
        }
    }

    fn connector_roles(facts: &EngineFacts) -> impl Iterator<Item = &'static RoleFacts> {
        facts.connectors.iter().flat_map(|row| row.roles)
    }

    fn ports_of(facts: &EngineFacts) -> impl Iterator<Item = &'static WorkerPort> {
        let events = facts.events.iter().flat_map(|events| events.ports);
        connector_roles(facts).flat_map(|role| role.ports).chain(events)
    }

    fn env_of(port: &WorkerPort) -> Option<&'static str> {
        match port.told {
            PassedBy::Env(name) => Some(name),
            PassedBy::Flag(_) | PassedBy::Inline => None,
        }
    }

    #[test]
    fn engines_ports_have_one_name_each_and_stand_where_they_are_told() {
        for release in all() {
            for facts in release.engines {
                let mut by_name: BTreeMap<&str, &WorkerPort> = BTreeMap::new();
                for port in ports_of(facts) {
                    assert_eq!(*by_name.entry(port.name).or_insert(port), port);
                    assert!(port.from < 32768 && !port.listed);
                    assert!(
                        release
                            .topologies
                            .iter()
                            .flat_map(|row| row.worker_ports)
                            .all(|it| it.name != port.name)
                    );
                    if port.told == PassedBy::Inline {
                        let blank = format!("{{{}}}", port.name);
                        let events = facts.events.iter().flat_map(|events| events.args);
                        let mut texts = connector_roles(facts).flat_map(|role| role.args).chain(events);
                        assert!(port.private.is_some() && texts.any(|text| text.contains(&blank)));
                    }
                }
            }
        }
    }

    #[test]
    fn users_may_set_no_variable_that_we_set() {
        for release in all() {
            let topologies = release.topologies.iter().flat_map(|row| {
                row.env.iter().chain(row.services.iter().flat_map(|service| service.clients))
            });
            let decided = release.topologies.iter().flat_map(|row| {
                let addresses = row.frontend_address_env.iter().chain(row.worker_address_env).copied();
                addresses.chain(row.worker_ports.iter().filter_map(env_of))
            });
            let ours: Vec<&str> = topologies
                .chain(release.env)
                .chain(release.engines.iter().flat_map(|facts| facts.env))
                .map(|(name, _)| *name)
                .chain([release.namespace_env, "HF_HOME"])
                .chain(decided)
                .chain(release.router_options.iter().map(|row| row.env))
                .collect();
            for (name, _) in release.frontend.defaults {
                assert!(!ours.contains(name) && !release.reserved_env.iter().any(|(other, _)| other == name));
            }
            for name in ours {
                assert!(release.reserved_env.iter().any(|(reserved, _)| *reserved == name), "{name}");
            }
            for facts in release.engines {
                let reserved: Vec<_> =
                    env::reserved(Some(release), Some(facts)).into_iter().map(|(name, _)| name).collect();
                assert_unique("reserved variable", &reserved);
                let disks = connector_roles(facts).filter_map(|role| role.cache.as_ref()?.disk.as_ref());
                let disks = disks.flat_map(|disk| {
                    let names = disk.env.iter().chain(disk.unmounted_env).map(|(name, _)| *name);
                    names.chain([disk.folder_env])
                });
                let decided = connector_roles(facts).flat_map(|role| {
                    let names = role.env.iter().map(|(name, _)| *name);
                    names.chain(role.address_env.iter().copied())
                });
                for name in ports_of(facts).filter_map(env_of).chain(disks).chain(decided) {
                    assert!(reserved.contains(&name), "{:?}: {name}", facts.engine);
                }
                for (name, _) in facts.env_defaults.iter().chain(facts.kv_env_defaults) {
                    assert!(!reserved.contains(name), "{name}");
                }
            }
            assert_unique("reserved variable", release.reserved_env.iter().map(|(name, _)| name));
        }
    }

    #[test]
    fn topologies_and_paths_make_sense() {
        for release in all() {
            assert_unique("topology", release.topologies.iter().map(|row| row.network));
            for row in release.topologies {
                assert_unique("service", row.services.iter().map(|service| service.name));
                for service in row.services {
                    assert_ne!(service.name, release.frontend.alias);
                    assert_ne!(service.name.len(), crate::dynamo::terms::names::SUFFIX_LENGTH);
                    let shared = row.network == NetworkMode::Host;
                    assert!(!shared || service.health_port.is_none(), "{}: two ports to pick", service.name);
                }
                assert_unique("worker port", row.worker_ports.iter().map(|port| port.name));
                assert!(row.worker_ports.iter().all(|port| port.from < 32768));
                let listed = row.worker_ports.iter().filter(|port| port.listed).count();
                assert_eq!(listed, usize::from(row.network == NetworkMode::Host));
                let store = row.store.as_ref().map(|store| store.path);
                for path in store.into_iter().chain([release.hf_home, release.model_cache]) {
                    assert_eq!(paths::in_container(path).as_deref(), Ok(path));
                }
            }
            assert!(release.grace.worker >= 60 && release.grace.frontend >= release.grace.service);
        }
    }
}
