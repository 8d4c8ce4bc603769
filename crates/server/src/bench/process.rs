//! What another process has used so far, as the kernel tells: processor time and memory. Linux only; elsewhere nothing is known.

use std::{path::PathBuf, time::Duration};

/// What a process has used.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Usage {
    /// Processor time, in user and kernel mode.
    pub cpu: Duration,
    /// Resident memory now, in bytes.
    pub memory: u64,
    /// The most resident memory that it ever had, in bytes.
    pub peak: u64,
}

/// Asks the kernel about a process. `None` when it is gone, or on a system without `/proc`.
pub fn usage(pid: u32) -> Option<Usage> {
    let file = |name: &str| std::fs::read_to_string(PathBuf::from(format!("/proc/{pid}/{name}"))).ok();
    let (memory, peak) = read_status(&file("status")?)?;
    Some(Usage {
        cpu: read_stat(&file("stat")?, rustix::param::clock_ticks_per_second())?,
        memory,
        peak,
    })
}

/// `utime` and `stime` of `/proc/PID/stat` (proc_pid_stat(5): fields 14 and 15). The name in field 2 can hold spaces and brackets.
fn read_stat(text: &str, ticks_per_second: u64) -> Option<Duration> {
    let (_, behind_name) = text.rsplit_once(')')?;
    let mut fields = behind_name.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let kernel: u64 = fields.next()?.parse().ok()?;
    let nanoseconds = u128::from(user + kernel) * 1_000_000_000 / u128::from(ticks_per_second.max(1));
    Some(Duration::from_nanos(u64::try_from(nanoseconds).ok()?))
}

/// `VmRSS` and `VmHWM` of `/proc/PID/status`, in bytes.
fn read_status(text: &str) -> Option<(u64, u64)> {
    let kibibytes = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    Some((kibibytes("VmRSS:")? * 1024, kibibytes("VmHWM:")? * 1024))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_stands_behind_a_name_that_can_hold_anything() {
        let line = "42 (a ) b 1 (c) S 1 42 42 0 -1 4194560 900 0 0 0 250 50 7 8 20 0 9 0 100 1000 200";
        assert_eq!(read_stat(line, 100), Some(Duration::from_secs(3)));
        assert_eq!(read_stat("42 (x) S 1", 100), None);
        assert_eq!(read_stat("", 100), None);
    }

    #[test]
    fn memory_is_read_in_bytes() {
        let text = "Name:\tswitchboard\nVmPeak:\t  999 kB\nVmHWM:\t   40960 kB\nVmRSS:\t   20480 kB\n";
        assert_eq!(read_status(text), Some((20 << 20, 40 << 20)));
        assert_eq!(read_status("Name:\tkthreadd\n"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_uses_memory() {
        let used = usage(std::process::id()).unwrap();
        assert!(used.memory > 1 << 20 && used.peak >= used.memory, "{used:?}");
    }
}
