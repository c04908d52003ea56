/** What travels with an event beside its payload. */
export type EventHeaders = {
  /** The id of the event whose handling emitted this one. */
  causation_id?: string;
  /** The consumer whose handling emitted this one. */
  caused_by?: string;
  /** What ties together everything that follows from one request or event. */
  correlation_id?: string;
  /** When the fact happened, RFC 3339, where that is not when it was emitted. */
  occurred_at?: string;
  /** W3C trace context: the parent's trace and span. */
  traceparent?: string;
  /** W3C trace context: vendor state. */
  tracestate?: string;
  [name: string]: string | undefined;
};

/** An event as it is in the log. */
export type Envelope<Name extends string, Version extends number, Payload> = {
  /** The event's id, a UUID. */
  id: string;
  name: Name;
  /** The version of the payload's shape. */
  version: Version;
  /** What events are ordered by. */
  key: string | null;
  /**
   * The number that the event has in the log.
   *
   * An integer of 64 bits: beyond 2^53 a JavaScript number is not exact.
   */
  position: number;
  /** When the event was appended to the log, RFC 3339. */
  created_at: string;
  headers: EventHeaders;
  payload: Payload;
};
