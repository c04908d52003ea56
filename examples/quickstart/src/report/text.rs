//! The report as a person wants to read it.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use super::{ConsumerReport, Report};
use crate::progress::Counts;

/// Longer lists are cut; the JSON report has everything.
const LONGEST_LIST: usize = 15;

/// Where a longer line is broken, and where it goes on.
const WIDTH: usize = 96;
const INDENT: usize = 8;

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.webhooks(f)?;
        self.consumers(f)?;
        self.dead_letters(f)?;
        self.announcements(f)?;
        self.counts(f)?;
        self.conclusion(f)
    }
}

impl Report {
    fn conclusion(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match (self.finished, self.dead_letters.len()) {
            (false, _) => writeln!(f, "\nInterrupted. Nothing is lost: the next run goes on here."),
            (true, 0) => writeln!(f, "\nEvery event has reached every consumer."),
            (true, dead) => writeln!(
                f,
                "\nEvery event has reached every consumer, but for {dead} dead letters: they stay \
                 until\nsomebody redrives or discards them."
            ),
        }
    }

    fn webhooks(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (ingested, stored) = (&self.ingested, &self.stored);
        writeln!(f, "\nWebhooks")?;
        match ingested.stored {
            0 => writeln!(f, "  nothing new: {} were stored before", ingested.known)?,
            new => writeln!(f, "  {new} new, {} stored before", ingested.known)?,
        }
        writeln!(f, "  {} in the database now ({})", stored.webhooks, self.database)?;
        if !ingested.skipped.is_empty() {
            writeln!(f, "  {} not taken:", ingested.skipped.len())?;
        }
        list(f, &ingested.skipped, |f, skipped| {
            writeln!(f, "    {}: {}", skipped.file.escape_debug(), skipped.reason)
        })
    }

    fn consumers(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let names = self.consumers.iter().map(|consumer| consumer.name.len());
        let width = names.max().unwrap_or(0);
        writeln!(
            f,
            "\n{:width$}  {:-^39}   {:-^33}",
            "", " since the first run ", " in this run "
        )?;
        writeln!(
            f,
            "{:width$}  {:>6}  {:>7}  {:>6}  {:>7}  {:>5}   {:>9}  {:>10}  {:>10}",
            "Consumer",
            "done",
            "retried",
            "dead",
            "pending",
            "lag",
            "delivered",
            "not wanted",
            "retried"
        )?;
        for ConsumerReport { name, this_run, dead, pending, lag, done, retried } in &self.consumers
        {
            let Counts { delivered, skipped, retried: retried_now, .. } = this_run;
            writeln!(
                f,
                "{name:width$}  {done:>6}  {retried:>7}  {dead:>6}  {pending:>7}  {lag:>5}   \
                 {delivered:>9}  {skipped:>10}  {retried_now:>10}"
            )?;
        }
        Ok(())
    }

    fn dead_letters(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.dead_letters.is_empty() {
            return Ok(());
        }
        writeln!(f, "\nDead letters: {}", self.dead_letters.len())?;
        list(f, &self.dead_letters, |f, dead| {
            let repository = dead.repository.as_deref().unwrap_or("(none)");
            let what = dead.kind.as_ref().unwrap_or(&dead.event);
            let attempts = match dead.attempts {
                1 => "1 attempt".to_owned(),
                many => format!("{many} attempts"),
            };
            writeln!(f, "  {}: {what} of {repository}, after {attempts}", dead.consumer)?;
            writeln!(f, "    {}", dead.errors.last().map_or("", String::as_str))
        })
    }

    fn announcements(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.announcements.is_empty() {
            return Ok(());
        }
        writeln!(f, "\nAnnouncements: {}", self.announcements.len())?;
        list(f, &self.announcements, |f, announcement| {
            let unknown = || "unknown".to_owned();
            writeln!(
                f,
                "  {} {}, emitted by {} because of webhook {}",
                announcement.repository,
                announcement.tag,
                announcement.emitted_by.clone().unwrap_or_else(unknown),
                announcement.delivery_id.clone().unwrap_or_else(unknown),
            )
        })
    }

    fn counts(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut repositories = BTreeMap::<&str, (i64, Vec<String>)>::new();
        let mut counts: Vec<_> = self.counts.iter().collect();
        counts.sort_by(|a, b| b.webhooks.cmp(&a.webhooks).then_with(|| a.kind.cmp(&b.kind)));
        for count in counts {
            let (sum, kinds) = repositories.entry(&count.repository).or_default();
            *sum += count.webhooks;
            kinds.push(format!("{} {}", count.webhooks, count.kind));
        }
        let mut repositories: Vec<_> = repositories.into_iter().collect();
        repositories.sort_by_key(|(_, (sum, _))| -sum);

        writeln!(f, "\nWebhooks per repository")?;
        list(f, &repositories, |f, (name, (sum, kinds))| {
            write!(f, "{sum:>6}  {name}:")?;
            let mut column = INDENT + name.len() + 1;
            for (index, kind) in kinds.iter().enumerate() {
                if column + kind.len() + 2 > WIDTH {
                    write!(f, "\n{:INDENT$}{kind}", "")?;
                    column = INDENT + kind.len();
                } else {
                    write!(f, " {kind}")?;
                    column += kind.len() + 1;
                }
                let last = index + 1 == kinds.len();
                write!(f, "{}", if last { "\n" } else { "," })?;
                column += 1;
            }
            Ok(())
        })
    }
}

fn list<T>(
    f: &mut Formatter<'_>,
    items: &[T],
    show: impl Fn(&mut Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for item in items.iter().take(LONGEST_LIST) {
        show(f, item)?;
    }
    match items.len().saturating_sub(LONGEST_LIST) {
        0 => Ok(()),
        more => writeln!(f, "    ... and {more} more (--json lists all)"),
    }
}
