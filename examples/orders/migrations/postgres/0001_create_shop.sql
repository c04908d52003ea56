create table customer (
    id text primary key,
    name text not null
);

create table product (
    sku text primary key,
    price bigint not null,
    in_stock bigint not null
);

-- The customer is looked up at the commit: a shop that trusts its callers saves a query, and the
-- database has the last word.
create table orders (
    id text primary key,
    customer text not null references customer (id) deferrable initially deferred,
    sku text not null references product (sku),
    quantity bigint not null,
    total bigint not null,
    state text not null
);

-- What is needed to charge it. Never in an event.
create table payment (
    order_id text primary key references orders (id),
    card text not null
);
