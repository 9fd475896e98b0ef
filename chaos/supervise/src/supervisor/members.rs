//! The processes of each service: its main one, and all that came of it, whatever parents, groups, sessions and names they
//! chose. The supervisor adopts orphans (it is a subreaper), so all of them descend from it; the question is whose they are.

use crate::{
    cgroup,
    process::{self, Process, Stat},
    run_label,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

/// The marks by which the processes of one service are known.
#[derive(Debug)]
pub(super) struct Marks {
    /// Id of the main process, which leads a process group of this number.
    pub(super) main: u32,
    /// The control group, where there is one.
    pub(super) group: Option<PathBuf>,
    /// The file that the output goes to.
    pub(super) log: PathBuf,
}

/// A process of a service.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    pub(super) stat: Stat,
    /// Number of processes between it and the supervisor.
    pub(super) depth: usize,
}

/// The processes that live, by service.
#[derive(Debug, Default)]
pub(super) struct Members {
    of: BTreeMap<String, Vec<Member>>,
    /// Those of whom it can't be told which service's they are.
    unknown: Vec<Member>,
}

impl Members {
    /// The processes of a service, parents before their children.
    pub(super) fn of(&self, service: &str) -> impl DoubleEndedIterator<Item = &Member> {
        self.of.get(service).into_iter().flatten()
    }

    /// True where a service has no process.
    pub(super) fn has_none(&self, service: &str) -> bool {
        self.of(service).next().is_none()
    }

    /// Processes that may be any service's.
    pub(super) fn unknown(&self) -> impl Iterator<Item = &Member> {
        self.unknown.iter()
    }
}

/// All that is known of who belongs to whom. It grows with each look, since what was seen once is not forgotten when its
/// parent ends.
#[derive(Debug, Default)]
pub(super) struct Memory {
    known: BTreeMap<Process, String>,
}

impl Memory {
    /// Looks at all processes of this machine once.
    pub(super) fn look(&mut self, services: &BTreeMap<String, Marks>) -> Members {
        let stats: BTreeMap<u32, Stat> = process::all().into_iter().map(|stat| (stat.process.pid, stat)).collect();
        self.known.retain(|process, _| stats.get(&process.pid).is_some_and(|stat| stat.process == *process));
        let grouped = grouped(services);
        let supervisor = std::process::id();
        let mut members = Members::default();
        let mut lines: Vec<Vec<Stat>> = stats.values().filter_map(|stat| line(*stat, &stats, supervisor)).collect();
        // Parents first: what is known of them is known of their children.
        lines.sort_by_key(Vec::len);
        let mut unknown = Vec::new();
        for line in lines {
            let service = self.of_line(&line, services, &grouped);
            let Some(member) =
                line.first().filter(|stat| !stat.is_over()).map(|stat| Member { stat: *stat, depth: line.len() })
            else {
                continue;
            };
            match service {
                Some(service) => {
                    self.known.insert(member.stat.process, service.clone());
                    members.of.entry(service).or_default().push(member);
                }
                None => unknown.push(member),
            }
        }
        self.place(unknown, services, &mut members);
        members
    }

    /// The service of the first in this line, from it up to a child of the supervisor.
    fn of_line(
        &self,
        line: &[Stat],
        services: &BTreeMap<String, Marks>,
        grouped: &BTreeMap<u32, String>,
    ) -> Option<String> {
        let main = |pid: u32| services.iter().find(|(_, marks)| marks.main == pid).map(|(name, _)| name.clone());
        line.iter().find_map(|stat| {
            let pid = stat.process.pid;
            let by_mark =
                || grouped.get(&pid).cloned().or_else(|| main(pid)).or_else(|| self.known.get(&stat.process).cloned());
            by_mark().or_else(|| main(stat.group)).or_else(|| by_what_it_has(pid, services))
        })
    }

    /// Finds the services of those that carry no mark, by the company that they keep: their session or process group is that
    /// of others who are known.
    fn place(&mut self, unknown: Vec<Member>, services: &BTreeMap<String, Marks>, members: &mut Members) {
        let own = Stat::read(std::process::id()).map_or((0, 0), |stat| (stat.session, stat.group));
        for member in unknown {
            let Stat { session, group, process, .. } = member.stat;
            let mut others = members.of.iter().filter(|(_, others)| {
                let is_company = |other: &Member| {
                    (other.stat.session == session && session != own.0) || (other.stat.group == group && group != own.1)
                };
                others.iter().any(is_company)
            });
            let by_company = others.next().map(|(service, _)| service.clone());
            // Where there is but one service, nobody else can have started it.
            let only = || services.keys().next().filter(|_| services.len() == 1).cloned();
            match by_company.or_else(only) {
                Some(service) => {
                    self.known.insert(process, service.clone());
                    members.of.entry(service).or_default().push(member);
                }
                None => members.unknown.push(member),
            }
        }
        for of_service in members.of.values_mut() {
            of_service.sort_by_key(|member| (member.depth, member.stat.process.pid));
        }
    }
}

/// The services of all processes in control groups.
fn grouped(services: &BTreeMap<String, Marks>) -> BTreeMap<u32, String> {
    let with_group = services.iter().filter_map(|(name, marks)| Some((name, marks.group.as_deref()?)));
    with_group.flat_map(|(name, group)| cgroup::processes(group).into_iter().map(|pid| (pid, name.clone()))).collect()
}

/// A process, its parent, and so on up to the child of the supervisor that they come of; none if they come of no such.
fn line(stat: Stat, stats: &BTreeMap<u32, Stat>, supervisor: u32) -> Option<Vec<Stat>> {
    let (mut line, mut seen) = (vec![stat], BTreeSet::from([stat.process.pid]));
    loop {
        let last = line.last()?;
        if last.parent == supervisor {
            return Some(line);
        }
        // The list is made while processes end and begin, so it may even go round.
        let parent = stats.get(&last.parent).filter(|parent| seen.insert(parent.process.pid))?;
        line.push(*parent);
    }
}

/// The service that a process's environment names, or whose log it writes.
fn by_what_it_has(pid: u32, services: &BTreeMap<String, Marks>) -> Option<String> {
    let named = run_label::service_of(pid).filter(|service| services.contains_key(service));
    named.or_else(|| {
        let log = run_label::output_of(pid)?;
        services.iter().find(|(_, marks)| is_same(&marks.log, &log)).map(|(name, _)| name.clone())
    })
}

fn is_same(one: &Path, other: &Path) -> bool {
    one == other || std::fs::canonicalize(one).is_ok_and(|one| one == other)
}
