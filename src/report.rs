//! `consim report`: makes the report of an output folder again from its results.

use crate::cli::ReportArgs;
use crate::exit;

/// Runs the verb; returns the exit code of the verdict, as `run` would.
pub(crate) fn report(args: &ReportArgs) -> u8 {
    let results = match consim_reports::read(&args.dir) {
        Ok(results) => results,
        Err(error) => {
            eprintln!("error: {error}; `consim run` writes such a folder");
            return exit::BAD_INPUT;
        }
    };
    // Only files that follow from `results.json` are replaced: nothing is lost that this very
    // command would not make again.
    // The plan that is there names its files from where it stands, which the results do not know.
    let plan = std::fs::read_to_string(args.dir.join("plan.yaml"));
    let plan = plan.as_ref().unwrap_or(&results.plan_yaml);
    if let Err(error) = consim_reports::write_with_plan(&results, plan, &args.dir) {
        eprintln!("error: {error}");
        return exit::OTHER;
    }
    if args.json {
        match consim_reports::outcome_json(&results.outcome) {
            Ok(text) => say!("{text}"),
            Err(error) => {
                eprintln!("error: {error}");
                return exit::OTHER;
            }
        }
    } else if !args.quiet {
        say!("{}", consim_reports::summary(&results));
        sayln!("report: {}", args.dir.join("report.html").display());
    }
    consim_check::verdict::exit_code(&results.outcome)
}
