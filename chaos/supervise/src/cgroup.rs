//! Control groups: the kernel's own list of a service's processes, where this user may make one. Whatever they start is in
//! it, whichever sessions, parents and environments they choose (cgroups(7)).
//!
//! Both versions serve, since nothing but membership is asked of them: no controller, no limit. One is made for each run,
//! below that of its supervisor, and in it one for each service.

use crate::process;
use rustix::process::{PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// File in a run's folder that names its control group, written before that is made.
const RECORD: &str = "cgroup";
/// File of a control group that lists its processes, and takes further ones.
const PROCESSES: &str = "cgroup.procs";
/// Hierarchies of version 1 that are good for it, the first of which that this user may write to.
const VERSION_1: [&str; 3] = ["freezer", "pids", "name=systemd"];

/// The control group of a run.
#[derive(Debug)]
pub(crate) struct RunGroup(PathBuf);

impl RunGroup {
    /// Makes the control group of the run with this folder, which is there; none where the machine has none to give: to most
    /// who are not root.
    pub(crate) fn make(folder: &Path) -> Option<Self> {
        let name = folder.file_name()?;
        own_groups().into_iter().map(|own| own.join(name)).find_map(|path| {
            // Said before it is made, as all that a run makes.
            fs::write(folder.join(RECORD), path.as_os_str().as_encoded_bytes()).ok()?;
            fs::create_dir(&path).ok()?;
            let group = Self(path);
            // A hierarchy may take folders from those whom it lets move no process.
            let takes = group.of_service("self").is_some_and(|of_service| is_writable(&of_service));
            if takes {
                return Some(group);
            }
            group.remove();
            None
        })
    }

    /// The control group of the run with this folder, as the folder tells.
    pub(crate) fn of_run(folder: &Path) -> Option<Self> {
        let path = PathBuf::from(String::from_utf8(fs::read(folder.join(RECORD)).ok()?).ok()?);
        // Nothing but a control group of that run is ever emptied on a file's word.
        let is_one = path.file_name() == folder.file_name() && path.join(PROCESSES).is_file();
        is_one.then_some(Self(path))
    }

    /// Makes the control group of a service, or finds it; gives its folder.
    pub(crate) fn of_service(&self, service: &str) -> Option<PathBuf> {
        let path = self.0.join(service);
        match fs::create_dir(&path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => None,
            _ => Some(path),
        }
    }

    /// Ids of all processes in it.
    pub(crate) fn processes(&self) -> Vec<u32> {
        processes(&self.0)
    }

    /// Kills a process if it is in here, and says whether it was.
    pub(crate) fn kill(&self, pid: u32) -> io::Result<bool> {
        let raw = process::raw(pid).ok_or(io::ErrorKind::NotFound)?;
        let handle = pidfd_open(raw, PidfdFlags::empty())?;
        // The handle is of whoever has this id now: so that one has to be in here.
        let is_in = self.processes().contains(&pid);
        if is_in {
            pidfd_send_signal(handle, Signal::KILL)?;
        }
        Ok(is_in)
    }

    /// Removes it, which works once it has no processes; gives what could not be removed.
    pub(crate) fn remove(&self) -> Option<String> {
        remove(&self.0).err().map(|error| format!("control group {}: {error}", self.0.display()))
    }
}

/// True where this user may make control groups: all that a service starts is known then, whatever it does to hide.
#[must_use]
pub fn can_be_made() -> bool {
    let name = format!("chaos-doctor-{}", std::process::id());
    own_groups().into_iter().map(|own| own.join(&name)).any(|path| {
        // A hierarchy may take folders from those whom it lets move no process.
        fs::create_dir(&path).is_ok_and(|()| {
            let takes = is_writable(&path);
            let _ = fs::remove_dir(&path);
            takes
        })
    })
}

/// Moves this process into a control group.
///
/// # Errors
/// What the kernel says where it refuses.
pub(crate) fn join(group: &Path) -> io::Result<()> {
    fs::write(group.join(PROCESSES), std::process::id().to_string())
}

/// Ids of the processes in a control group, and in those that were made in it.
pub(crate) fn processes(group: &Path) -> Vec<u32> {
    let text = fs::read_to_string(group.join(PROCESSES)).unwrap_or_default();
    let mut pids: Vec<u32> = text.lines().filter_map(|line| line.parse().ok()).collect();
    pids.extend(below(group).flat_map(|group| processes(&group)));
    pids
}

/// The control groups in one.
fn below(group: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let entries = fs::read_dir(group).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_type().is_ok_and(|of| of.is_dir())).map(|entry| entry.path())
}

fn remove(group: &Path) -> io::Result<()> {
    for group in below(group) {
        remove(&group)?;
    }
    match fs::remove_dir(group) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

fn is_writable(group: &Path) -> bool {
    rustix::fs::access(group.join(PROCESSES), rustix::fs::Access::WRITE_OK).is_ok()
}

/// Folders of the control groups that this process is in, of each hierarchy that serves.
fn own_groups() -> Vec<PathBuf> {
    let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
    groups(&read("/proc/self/cgroup"), &read("/proc/self/mountinfo"))
}

/// The same from the texts of `/proc/self/cgroup` and `/proc/self/mountinfo` (proc(5)). That of version 2 comes first.
fn groups(memberships: &str, mounts: &str) -> Vec<PathBuf> {
    let membership = |line: &str| {
        let (_, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        Some((controllers.to_owned(), path.to_owned()))
    };
    let memberships: Vec<(String, String)> = memberships.lines().filter_map(membership).collect();
    let hierarchies = std::iter::once("").chain(VERSION_1);
    let folder = |hierarchy: &str| {
        let is_one = |controllers: &String| match hierarchy {
            "" => controllers.is_empty(),
            _ => controllers.split(',').any(|one| one == hierarchy),
        };
        let (_, path) = memberships.iter().find(|(controllers, _)| is_one(controllers))?;
        mounts.lines().find_map(|line| mounted(line, hierarchy, path))
    };
    hierarchies.filter_map(folder).collect()
}

/// The folder of the control group `path`, if this line mounts its hierarchy.
fn mounted(line: &str, hierarchy: &str, path: &str) -> Option<PathBuf> {
    let (mount, kind) = line.split_once(" - ")?;
    let mut kind = kind.split(' ');
    let (name, options) = (kind.next()?, kind.nth(1)?);
    let is_one = match hierarchy {
        "" => name == "cgroup2",
        _ => name == "cgroup" && options.split(',').any(|option| option == hierarchy),
    };
    // Its fourth and fifth fields: what of the hierarchy is mounted, and where.
    let mut mount = mount.split(' ').skip(3);
    let (root, place) = (mount.next()?, mount.next()?);
    let within = Path::new(path).strip_prefix(root).ok().filter(|_| is_one)?;
    Some(Path::new(place).join(within))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hierarchies_are_found_where_they_are_mounted() {
        let mounts = "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n\
                      37 31 0:34 / /sys/fs/cgroup/freezer rw,relatime - cgroup cgroup rw,freezer\n\
                      32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n\
                      41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";
        let found = groups("6:freezer:/a\n5:cpu,cpuacct:/c\n0::/b/c\n", mounts);
        assert_eq!(found, ["/sys/fs/cgroup/unified/b/c", "/sys/fs/cgroup/freezer/a"].map(PathBuf::from));
    }

    #[test]
    fn a_part_of_a_hierarchy_is_mounted_for_those_in_it_alone() {
        let mounts = "41 31 0:38 /docker/1 /sys/fs/cgroup ro - cgroup2 cgroup rw\n";
        assert_eq!(groups("0::/docker/1/x\n", mounts), [PathBuf::from("/sys/fs/cgroup/x")]);
        assert_eq!(groups("0::/elsewhere\n", mounts), Vec::<PathBuf>::new());
        assert_eq!(groups("no line of it\n", mounts), Vec::<PathBuf>::new());
    }

    #[test]
    fn a_file_that_names_something_else_is_not_believed() {
        let temp = tempfile::tempdir().unwrap();
        let (folder, other) = (temp.path().join("chaos-1-2-3"), temp.path().join("other"));
        for folder in [&folder, &other] {
            fs::create_dir(folder).unwrap();
            fs::write(folder.join(PROCESSES), "1\n").unwrap();
        }
        fs::write(folder.join(RECORD), other.to_str().unwrap()).unwrap();
        assert!(RunGroup::of_run(&folder).is_none(), "it has another name");
        fs::write(folder.join(RECORD), "/chaos-1-2-3").unwrap();
        assert!(RunGroup::of_run(&folder).is_none(), "it is no control group");
    }
}
