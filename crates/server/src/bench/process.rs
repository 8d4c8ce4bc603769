//! What another process has used so far, as the kernel tells: processor time and memory. Linux only; elsewhere nothing is known.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

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

/// Watches a process, this one and the machine for the time of a measurement.
#[derive(Debug, Clone, Copy)]
pub struct Watch {
    pid: u32,
    begun: Instant,
    process: Usage,
    own: Usage,
    machine: Duration,
}

/// What was used while a process was watched.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Used {
    /// Processor time of the process.
    pub cpu: Duration,
    /// Its memory when the watch began, in bytes.
    pub memory: u64,
    /// The most memory that it ever had, in bytes.
    pub peak: u64,
    /// Which part of all processors was used by processes that have no part in the measurement, from 0 to 1.
    pub others: f64,
}

impl Watch {
    /// Begins. `None` where the system does not tell.
    pub fn start(pid: u32) -> Option<Self> {
        Some(Self {
            pid,
            begun: Instant::now(),
            process: usage(pid)?,
            own: usage(std::process::id())?,
            machine: machine()?,
        })
    }

    /// What was used since.
    pub fn end(&self) -> Option<Used> {
        let (process, own, machine) = (usage(self.pid)?, usage(std::process::id())?, machine()?);
        let cpu = process.cpu.saturating_sub(self.process.cpu);
        let ours = cpu + own.cpu.saturating_sub(self.own.cpu);
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let all = self.begun.elapsed().as_secs_f64() * processors as f64;
        let others = machine.saturating_sub(self.machine).saturating_sub(ours);
        Some(Used {
            cpu,
            memory: self.process.memory,
            peak: process.peak,
            others: (others.as_secs_f64() / all.max(f64::MIN_POSITIVE)).min(1.0),
        })
    }
}

/// Processor time of all processes since the machine was started.
fn machine() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/stat").ok()?;
    read_machine(&text, rustix::param::clock_ticks_per_second())
}

/// `user`, `nice` and `system` of the first line of `/proc/stat` (proc_stat(5)), and `steal`, which other guests of the same
/// host used. Time in interrupts belongs to no process and is left out.
fn read_machine(text: &str, ticks_per_second: u64) -> Option<Duration> {
    let fields: Vec<u64> = text
        .lines()
        .next()?
        .strip_prefix("cpu ")?
        .split_whitespace()
        .map_while(|field| field.parse().ok())
        .collect();
    let steal = fields.get(7).copied().unwrap_or_default();
    ticks(fields.get(..3)?.iter().sum::<u64>() + steal, ticks_per_second)
}

fn ticks(ticks: u64, per_second: u64) -> Option<Duration> {
    let nanoseconds = u128::from(ticks) * 1_000_000_000 / u128::from(per_second.max(1));
    u64::try_from(nanoseconds).ok().map(Duration::from_nanos)
}

/// `utime` and `stime` of `/proc/PID/stat` (proc_pid_stat(5): fields 14 and 15). The name in field 2 can hold spaces and brackets.
fn read_stat(text: &str, ticks_per_second: u64) -> Option<Duration> {
    let (_, behind_name) = text.rsplit_once(')')?;
    let mut fields = behind_name.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let kernel: u64 = fields.next()?.parse().ok()?;
    ticks(user + kernel, ticks_per_second)
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

    #[test]
    fn the_machines_time_is_that_of_processes_and_other_guests() {
        let text = "cpu  100 20 30 4000 50 60 70 8 0 0\ncpu0 1 1 1 1\n";
        assert_eq!(read_machine(text, 100), Some(Duration::from_millis(1580)));
        assert_eq!(read_machine("intr 1 2", 100), None);
        assert_eq!(read_machine("cpu  1 2", 100), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_uses_memory() {
        let used = usage(std::process::id()).unwrap();
        assert!(used.memory > 1 << 20 && used.peak >= used.memory, "{used:?}");
    }
}
