//! What an editor sees while somebody types: every beginning of valid input. No macro may panic on
//! one, take the item away that it stands on, or accept what says too little.

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::quote;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Meta, Token};

/// Every beginning of these tokens, cut at every token, also inside of groups; not the whole.
fn beginnings(tokens: TokenStream) -> Vec<TokenStream> {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let mut all = Vec::new();
    for (index, tree) in trees.iter().enumerate() {
        let before = || trees[..index].iter().cloned();
        all.push(before().collect());
        if let TokenTree::Group(group) = tree {
            all.extend(beginnings(group.stream()).into_iter().map(|inner| {
                before().chain([Group::new(group.delimiter(), inner).into()]).collect()
            }));
        }
    }
    all
}

fn consumer_options() -> TokenStream {
    quote! {
        name = "email.receipt",
        retry(max = 10, backoff = "1s..15m"),
        timeout = "20s",
        delay = |order| Duration::from_secs(order.wait),
        when = rules::wanted,
        ordered,
        concurrency = 64,
        shards = 4,
        start = "2026-01-31T09:00:00Z",
        on_dead = continue,
        audit,
        crate = toolkit::outbox
    }
}

fn consumer_function() -> TokenStream {
    quote! {
        /// Sends a receipt.
        #[cfg(feature = "mail")]
        pub(crate) async fn receipt<'a>(
            mut order: Delivery<shop::OrderPlaced>,
            State(mail): State<Arc<dyn Mailer>>,
            context: Context,
        ) -> Result<(), Box<dyn Error + Send + Sync>>
        where
            'a: 'static,
        {
            let sent = mail.send(&order).await?;
            if sent { Ok(()) } else { Err("no")? }
        }
    }
}

fn is_refused(output: &TokenStream) -> bool {
    output.to_string().contains(":: core :: compile_error !")
}

fn starts_with(output: &TokenStream, item: &TokenStream) -> bool {
    output.to_string().starts_with(&item.to_string())
}

/// Whether these are options at all, whatever they mean. (`continue` is no expression of a `Meta`.)
fn are_options(tokens: TokenStream) -> bool {
    let entries = Punctuated::<Meta, Token![,]>::parse_terminated.parse2(tokens);
    entries.is_ok_and(|entries| {
        entries.iter().all(|entry| match entry {
            Meta::List(list) => !list.tokens.is_empty() && are_options(list.tokens.clone()),
            Meta::Path(_) | Meta::NameValue(_) => true,
        })
    })
}

#[test]
fn half_of_a_consumers_options_leaves_the_function_alone() {
    let function = consumer_function();
    let whole = crate::consumer::attribute(consumer_options(), function.clone());
    assert!(!is_refused(&whole), "{whole}");
    for options in beginnings(consumer_options()) {
        let output = crate::consumer::attribute(options.clone(), function.clone());
        assert!(starts_with(&output, &function), "{options}");
        let complete = output.to_string().contains(r#"new ("email.receipt")"#);
        assert_ne!(is_refused(&output), complete, "{options}: either an error or a consumer");
        if options.is_empty() || !are_options(options.clone()) {
            assert!(is_refused(&output), "{options}");
        }
    }
}

#[test]
fn half_a_function_is_passed_on_as_it_is() {
    for function in beginnings(consumer_function()) {
        let output = crate::consumer::attribute(consumer_options(), function.clone());
        assert!(starts_with(&output, &function), "{function}");
        if syn::parse2::<syn::ItemFn>(without_body(function.clone())).is_err() {
            assert!(is_refused(&output), "{function}");
        }
    }
}

/// The body is the compiler's to complain about.
fn without_body(function: TokenStream) -> TokenStream {
    let empty = |tree| match tree {
        TokenTree::Group(body) if body.delimiter() == proc_macro2::Delimiter::Brace => {
            Group::new(body.delimiter(), TokenStream::new()).into()
        }
        other => other,
    };
    function.into_iter().map(empty).collect()
}

#[test]
fn a_consumer_whose_body_is_being_written_is_a_consumer() {
    let functions = beginnings(consumer_function());
    let in_body = functions.iter().filter(|function| {
        without_body((*function).clone()).to_string()
            == without_body(consumer_function()).to_string()
    });
    let mut count = 0;
    for function in in_body {
        let output = crate::consumer::attribute(consumer_options(), function.clone());
        assert!(!is_refused(&output), "{function}");
        count += 1;
    }
    assert!(count > 10, "{count}");
}

#[test]
fn something_else_than_a_function_is_passed_on_as_it_is() {
    for item in [
        quote!(
            struct Receipt;
        ),
        quote!(
            pub mod receipts {
                fn receipt() {}
            }
        ),
        quote!(
            async fn receipt(&self, order: Delivery<OrderPlaced>);
        ),
        quote!(let x = 7;),
        quote!(),
    ] {
        let output = crate::consumer::attribute(consumer_options(), item.clone());
        assert!(starts_with(&output, &item) && is_refused(&output), "{item}");
    }
}

/// A derive cannot take its item away, so that it only has to say what is wrong.
#[test]
fn half_an_event_is_an_error_or_an_event() {
    let event = quote! {
        #[event(name = "order.placed", version = 2, key = self.id, upcast(from = shop::Older))]
        #[event(reserved("coupon", "voucher"), index(id, names))]
        #[serde(rename_all = "camelCase")]
        pub(crate) struct OrderPlaced {
            #[serde(rename = "ref", default)]
            id: u64,
            names: Vec<Option<String>>,
        }
    };
    let whole = crate::event::derive(event.clone());
    assert!(!is_refused(&whole), "{whole}");
    for half in beginnings(event) {
        let output = crate::event::derive(half.clone());
        let complete = output.to_string().contains(r#"NAME : & 'static str = "order.placed""#);
        assert_ne!(is_refused(&output), complete, "{half}: either an error or an event");
        if syn::parse2::<syn::DeriveInput>(half.clone()).is_err() {
            assert!(is_refused(&output), "{half}");
        }
    }
}

#[test]
fn half_an_enum_is_an_error_or_an_event() {
    let event = quote! {
        #[event(name = "order.changed", key = id, retired, no_upcast, version = 3)]
        enum OrderChanged {
            Renamed { id: u64, name: String },
            #[serde(rename = "sent")]
            Shipped { id: u64 },
        }
    };
    assert!(!is_refused(&crate::event::derive(event.clone())));
    for half in beginnings(event) {
        let output = crate::event::derive(half.clone());
        let complete = output.to_string().contains(r#"NAME : & 'static str = "order.changed""#);
        assert_ne!(is_refused(&output), complete, "{half}: either an error or an event");
    }
}

#[test]
fn half_a_registry_still_has_its_struct() {
    let registry = quote! {
        /// Everything.
        pub(crate) struct Shop;
        state: app::State<'static>,
        events: [OrderPlaced, shop::OrderPaid,],
        consumers: [receipt, shop::mails::remind],
        crate: toolkit::outbox,
    };
    assert!(!is_refused(&crate::registry::declare(registry.clone())));
    for half in beginnings(registry) {
        let output = crate::registry::declare(half.clone());
        let has_struct = output.to_string().contains("struct Shop ;");
        let (typed, listed) = (half.to_string(), half.to_string().contains("OrderPlaced"));
        assert_eq!(has_struct, typed.contains("struct Shop"), "{half}");
        assert!(is_refused(&output) || listed, "{half}");
    }
}
