//! The report as a person wants to read it.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use super::{ConsumerReport, Report};

/// Longer lists are cut; the JSON report has everything.
const LONGEST_LIST: usize = 15;
const WIDTH: usize = 96;

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.webhooks(f)?;
        self.consumers(f)?;
        self.dead_letters(f)?;
        self.announcements(f)?;
        self.counts(f)?;
        if !self.finished {
            writeln!(f, "\nInterrupted. Nothing is lost: the next run continues here.")?;
        }
        Ok(())
    }
}

impl Report {
    fn webhooks(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (ingested, stored) = (&self.ingested, &self.stored);
        writeln!(f, "\nWebhooks")?;
        match ingested.stored {
            0 => writeln!(f, "  nothing new: {} were stored before", ingested.known)?,
            new => writeln!(f, "  {new} new, {} stored before", ingested.known)?,
        }
        writeln!(f, "  {} in the database ({})", stored.webhooks, self.database)?;
        if !ingested.skipped.is_empty() {
            writeln!(f, "  {} not taken:", ingested.skipped.len())?;
        }
        list(f, &ingested.skipped, |f, skipped| {
            writeln!(f, "    {}: {}", skipped.file.escape_debug(), skipped.reason)
        })
    }

    fn consumers(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let wide = |name: &str| name.len();
        let width = self.consumers.iter().map(|consumer| wide(consumer.name)).max().unwrap_or(0);
        writeln!(f, "\n{:width$}  {:-^31}  {:-^21}", "", " in this run ", " now ")?;
        writeln!(
            f,
            "{:width$}  {:>9}  {:>9}  {:>9}  {:>5}  {:>7}  {:>5}  {:>10}",
            "Consumer", "delivered", "skipped", "retried", "dead", "pending", "lag", "done so far"
        )?;
        for ConsumerReport { name, this_run, dead, pending, lag, handled } in &self.consumers {
            let (delivered, skipped, retried) =
                (this_run.delivered, this_run.skipped, this_run.retried);
            writeln!(
                f,
                "{name:width$}  {delivered:>9}  {skipped:>9}  {retried:>9}  \
                 {dead:>5}  {pending:>7}  {lag:>5}  {handled:>10}"
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
            let (consumer, kind, attempts) = (&dead.consumer, &dead.kind, dead.attempts);
            writeln!(f, "  {consumer}: {kind} of {repository}, after {attempts} attempts")?;
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
        let shown = repositories.iter().take(LONGEST_LIST);
        let width = shown.map(|(name, _)| name.len()).max().unwrap_or(0).min(WIDTH / 2);

        writeln!(f, "\nWebhooks per repository")?;
        list(f, &repositories, |f, (name, (sum, kinds))| {
            let indent = width + 10;
            write!(f, "  {name:width$}  {sum:>4}  ")?;
            let mut column = indent;
            for (index, kind) in kinds.iter().enumerate() {
                let last = index + 1 == kinds.len();
                if column + kind.len() > WIDTH {
                    write!(f, "\n{:indent$}", "")?;
                    column = indent;
                }
                write!(f, "{kind}{}", if last { "" } else { ", " })?;
                column += kind.len() + 2;
            }
            writeln!(f)
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
