//! `chaos calibrate`: what this machine can do.

use crate::{args::Calibrate, exit::Exit, machine::Machine, state};
use chaos_links::calibrate;
use chaos_model::Calibration;
use chaos_report::{Style, calibration};
use chaos_supervise::RunLock;
use host::tcp;
use std::{
    fs::File,
    io::{self, Write as _},
    path::Path,
};

pub(crate) fn calibrate(machine: &Machine, args: &Calibrate) -> Exit {
    // Before ten seconds are spent, which a 99th percentile takes: a run that measured for less would carry a figure
    // that says nothing. So it is measured by a command of its own, and remembered.
    let json = match args.json.as_deref() {
        Some(path) if path != Path::new("-") => match File::create(path) {
            Ok(file) => Some(file),
            Err(error) => {
                return super::refuse("calibrate", &format!("--json: can't write {}: {error}", path.display()));
            }
        },
        _ => None,
    };
    super::in_runtime("calibrate", async || {
        let host = tcp::host(tcp::Config { seed: 1, ..tcp::Config::loopback("calibrate") });
        let host = host.map_err(|error| format!("this machine gives no timer: {error}"))?;
        let waiting = |holder: Option<u32>| {
            let who = holder.map_or_else(|| "a run".to_owned(), |pid| format!("a run (process {pid})"));
            eprintln!("{who} measures on this machine now; this starts when it is done");
        };
        let _lock =
            RunLock::take(waiting).await.map_err(|error| format!("can't take the lock for this machine: {error}"))?;
        let measured = calibrate::calibrate(&host).await.map_err(|error| error.to_string())?;
        write(machine, args, json, &measured).map_err(|error| format!("can't write the figures: {error}"))?;
        // It is measured and told: not to remember it takes nothing away.
        if let Err(error) = state::remember(machine, &measured) {
            eprintln!("chaos calibrate: reports of runs won't show this, since it can't be kept: {error}");
        }
        Ok(Exit::Pass)
    })
}

fn write(machine: &Machine, args: &Calibrate, json: Option<File>, measured: &Calibration) -> io::Result<()> {
    if let Some(file) = json {
        calibration::write_json(file, measured)?;
    } else if args.json.is_some() {
        return calibration::write_json(io::stdout(), measured);
    }
    let style = Style { colour: machine.colour, width: machine.width, live: false, verbose: false };
    let mut out = io::stdout();
    calibration::table(&mut out, style, measured)?;
    out.flush()
}
