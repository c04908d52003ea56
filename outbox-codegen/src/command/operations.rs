//! Operations on a database: what people look at and do in the night. They need no types of an
//! application, only its database.

mod consumers;
mod database;
mod deliveries;
mod events;
mod listing;
mod migrate;
mod replay;
mod skip;
mod when;
mod workers;

use clap::Subcommand;

use super::Outcome;

#[derive(Subcommand)]
pub(super) enum Operations {
    /// Creates or upgrades the engine's tables in a database, as `Outbox::migrate()` does.
    Migrate(migrate::Migrate),
    /// The consumers in a database: how far they are, and what is to become of them.
    Consumers {
        #[command(subcommand)]
        command: Consumers,
    },
    /// The deliveries in a database that wait, are tried again, or are dead letters.
    Deliveries {
        #[command(subcommand)]
        command: Deliveries,
    },
    /// The events in a database.
    Events {
        #[command(subcommand)]
        command: Events,
    },
    /// The workers that a database knows: those that live, and for an hour those that died.
    Workers(workers::List),
}

#[derive(Subcommand)]
pub(super) enum Consumers {
    /// Every consumer: what it has not handled yet, and in which states its deliveries are.
    List(consumers::List),
    /// The shards of a consumer, or of all: who has the lease, and the newest checkpoint.
    Shards(consumers::Shards),
    /// What a consumer did over time, from its checkpoints.
    Rates(consumers::Rates),
    /// Stops a consumer on all workers, or one key of it.
    Pause(consumers::Pause),
    /// Lets a paused consumer, or one key of it, go on where it stopped.
    Resume(consumers::Resume),
    /// Delivers events again: everything from some place on, or some of it.
    Replay(replay::Replay),
    /// Moves a consumer past events that it is not to handle.
    Skip(skip::Skip),
    /// Changes the number of shards while the consumer runs.
    Reshard(consumers::Reshard),
    /// Removes a consumer whose code is gone, with its deliveries, so that it holds nothing back.
    Retire(consumers::Retire),
}

#[derive(Subcommand)]
pub(super) enum Deliveries {
    /// The deliveries that match.
    List(deliveries::List),
    /// Gives dead letters another chance.
    Redrive(deliveries::Redrive),
    /// Deletes dead letters; the keys that they held go on.
    Discard(deliveries::Discard),
}

#[derive(Subcommand)]
pub(super) enum Events {
    /// The events that match, oldest first.
    List(events::List),
    /// One event: its payload, its deliveries that are not done, and what it caused.
    Show(events::Show),
}

impl Operations {
    pub(super) fn run(&self) -> Outcome {
        match self {
            Self::Migrate(migrate) => migrate.at.run(migrate),
            Self::Consumers { command } => command.run(),
            Self::Deliveries { command } => command.run(),
            Self::Events { command } => command.run(),
            Self::Workers(list) => list.at.run(list),
        }
    }
}

impl Consumers {
    fn run(&self) -> Outcome {
        match self {
            Self::List(list) => list.at.run(list),
            Self::Shards(shards) => shards.at.run(shards),
            Self::Rates(rates) => rates.at.run(rates),
            Self::Pause(pause) => pause.at.run(pause),
            Self::Resume(resume) => resume.at.run(resume),
            Self::Replay(replay) => replay.at.run(replay),
            Self::Skip(skip) => skip.at.run(skip),
            Self::Reshard(reshard) => reshard.at.run(reshard),
            Self::Retire(retire) => retire.at.run(retire),
        }
    }
}

impl Deliveries {
    fn run(&self) -> Outcome {
        match self {
            Self::List(list) => list.at.run(list),
            Self::Redrive(redrive) => redrive.at.run(redrive),
            Self::Discard(discard) => discard.at.run(discard),
        }
    }
}

impl Events {
    fn run(&self) -> Outcome {
        match self {
            Self::List(list) => list.at.run(list),
            Self::Show(show) => show.at.run(show),
        }
    }
}
