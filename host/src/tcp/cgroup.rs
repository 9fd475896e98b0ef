//! Memory that this process may use, as its control groups limit it (cgroups(7), versions 1 and 2).

/// Limits from here on are none: version 1 writes the largest number of pages that it knows.
const NONE: u64 = 1 << 62;

/// The lowest limit of this process's own group and of those above it, in bytes; none where none is set. `read` gives the
/// text of a file.
// In a container, the root that is mounted may be the group itself, while the kernel tells its path on the machine: that
// root is looked at too, as the last of those above.
pub(super) fn memory_limit(read: impl Fn(&str) -> Option<String>) -> Option<u64> {
    let groups = read("/proc/self/cgroup")?;
    let hierarchies = groups.lines().filter_map(hierarchy);
    let files =
        hierarchies.flat_map(|(mount, group, file)| upwards(group).map(move |group| format!("{mount}{group}/{file}")));
    files.filter_map(|file| read(&file)?.trim().parse().ok()).filter(|limit| *limit < NONE).min()
}

/// Mount, group and file of a line `ID:CONTROLLERS:GROUP`, where it is one that can limit memory.
fn hierarchy(line: &str) -> Option<(&'static str, &str, &'static str)> {
    let (_, rest) = line.split_once(':')?;
    let (controllers, group) = rest.split_once(':')?;
    if controllers.is_empty() {
        Some(("/sys/fs/cgroup", group, "memory.max"))
    } else if controllers.split(',').any(|controller| controller == "memory") {
        Some(("/sys/fs/cgroup/memory", group, "memory.limit_in_bytes"))
    } else {
        None
    }
}

/// The group, and all above it up to the root, which is empty.
fn upwards(group: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(group.trim_end_matches('/')), |group| group.rsplit_once('/').map(|(parent, _)| parent))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a machine with these files.
    fn limit(files: &[(&str, &str)]) -> Option<u64> {
        memory_limit(|path| files.iter().find(|(name, _)| *name == path).map(|(_, text)| (*text).to_owned()))
    }

    const V1: (&str, &str) = ("/proc/self/cgroup", "5:devices:/a/b\n4:cpu,memory:/a/b\n0::/\n");
    const V2: (&str, &str) = ("/proc/self/cgroup", "0::/a/b\n");

    #[test]
    fn the_lowest_limit_of_the_group_and_those_above_counts() {
        let own = ("/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", "9223372036854771712\n");
        let above = ("/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "268435456\n");
        assert_eq!(limit(&[V1, own, above]), Some(256 << 20));
        let (own, above) = (("/sys/fs/cgroup/a/b/memory.max", "1000\n"), ("/sys/fs/cgroup/a/memory.max", "2000\n"));
        assert_eq!((limit(&[V2, own, above]), limit(&[V2, above])), (Some(1000), Some(2000)));
    }

    #[test]
    fn a_container_sees_its_group_as_the_root() {
        assert_eq!(limit(&[V2, ("/sys/fs/cgroup/memory.max", "3000\n")]), Some(3000));
        assert_eq!(limit(&[V1, ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "3000\n")]), Some(3000));
        assert_eq!(limit(&[("/proc/self/cgroup", "0::/\n"), ("/sys/fs/cgroup/memory.max", "4000\n")]), Some(4000));
    }

    #[test]
    fn no_limit_is_none() {
        assert_eq!(limit(&[]), None);
        assert_eq!(limit(&[V1]), None);
        assert_eq!(limit(&[V2, ("/sys/fs/cgroup/a/b/memory.max", "max\n")]), None);
        let huge = ("/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", "9223372036854771712\n");
        assert_eq!(limit(&[V1, huge]), None);
        // Another controller's line, and none of a group's.
        assert_eq!(limit(&[("/proc/self/cgroup", "3:cpuset:/a\nnonsense\n"), huge]), None);
    }
}
