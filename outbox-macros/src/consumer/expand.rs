//! The struct of a consumer and what it implements.

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote_spanned};
use syn::{Expr, ReturnType, Type};

use super::arguments::{Argument, Arguments, Form};
use super::parse::{Delay, Options, Retry, Start};
use super::validate::{Consumer, Handler};
use crate::declaration::declaration;
use crate::diagnostics::Errors;
use crate::function::Function;
use crate::paths::{at, mixed_at, private_path};

/// Everything for a consumer without mistakes. Local variables have the hygiene of
/// `macro_rules`, so that a consumer may be named as they are.
pub(super) fn consumer(consumer: &Consumer<'_>) -> TokenStream {
    let p = private_path(consumer.options.krate.as_ref());
    let struct_ = structure(consumer.function, &consumer.name.value());
    let definition = definition(&p, consumer);
    let handle = handle(&p, consumer);
    let bind = bind(&p, consumer);
    quote_spanned! {Span::mixed_site()=>
        #struct_
        #definition
        #handle
        #bind
    }
}

fn structure(function: &Function, name: &str) -> TokenStream {
    function.marker(&format!("The consumer `{name}`: runs the function of the same name."))
}

fn definition(p: &TokenStream, consumer: &Consumer<'_>) -> TokenStream {
    let Consumer { function, name, event, options, handler, .. } = consumer;
    let ident = &function.signature.ident;
    let setters = setters(p, options, handler);
    let when = options.when.as_ref().map(|decide| {
        let call = call(p, ["when", "when_by"], event, decide);
        quote_spanned! {Span::mixed_site()=>
            fn when(event: &Self::Event) -> bool {
                #call
            }
        }
    });
    let delay = options.delay.as_ref().map(|delay| {
        let value = match delay {
            Delay::Always(delay) => duration(p, *delay),
            Delay::ByEvent(decide) => call(p, ["delay", "delay_by"], event, decide),
        };
        quote_spanned! {Span::mixed_site()=>
            #[allow(unused_variables)]
            fn delay(event: &Self::Event) -> #p::Option<#p::Duration> {
                #p::Option::Some(#value)
            }
        }
    });
    let event = quote_spanned! {mixed_at(event)=> type Event = #event; };
    let decides = options.when.is_some() || options.delay.is_some();
    let conditions = function.conditions();
    let details = details(p, consumer);
    quote_spanned! {Span::mixed_site()=>
        #(#conditions)*
        #[automatically_derived]
        impl #p::ConsumerDef for #ident {
            #event
            const OPTIONS: #p::ConsumerOptions = #p::ConsumerOptions::new(#name) #setters;
            const DECIDES_ON_READING: bool = #decides;
            #details
            #when
            #delay
        }
    }
}

/// What documents want to know besides the options.
fn details(p: &TokenStream, consumer: &Consumer<'_>) -> TokenStream {
    let Consumer { function, options, .. } = consumer;
    let declared = declaration(p, &function.signature.ident, &function.attributes);
    let when = options.when.is_some();
    let delay = match &options.delay {
        None => quote::quote!(None),
        Some(Delay::ByEvent(_)) => quote::quote!(ByEvent),
        Some(Delay::Always(delay)) => {
            let delay = duration(p, *delay);
            quote::quote!(Always(#delay))
        }
    };
    quote_spanned! {Span::mixed_site()=>
        const DETAILS: #p::ConsumerDetails = #p::ConsumerDetails {
            declared: #declared,
            when: #when,
            delay: #p::DelayInfo::#delay,
        };
    }
}

/// The call of one of two functions of the runtime: for a closure, which takes its types from there,
/// and for the path of a function, which has its own.
fn call(p: &TokenStream, callers: [&str; 2], event: &Type, decide: &Expr) -> TokenStream {
    let p = at(p, mixed_at(decide));
    let [of_closure, of_path] = callers;
    let caller = if let Expr::Closure(_) = decide { of_closure } else { of_path };
    let function = Ident::new(caller, mixed_at(decide));
    quote_spanned! {mixed_at(decide)=> #p::#function::<#event>(event, #decide) }
}

fn setters(p: &TokenStream, options: &Options, handler: &Handler<'_>) -> TokenStream {
    let mut setters = TokenStream::new();
    let mut set = |name: &str, value: TokenStream| {
        let name = Ident::new(name, Span::mixed_site());
        setters.extend(quote_spanned! {Span::mixed_site()=> .#name(#value) });
    };
    if let Handler::Tx(_) = handler {
        set("tx", TokenStream::new());
    }
    if options.ordered.is_some() {
        set("ordered", TokenStream::new());
    }
    if let Some((_, handlers)) = options.concurrency {
        set("concurrency", quote::quote!(#handlers));
    }
    if let Some(shards) = options.shards {
        set("shards", quote::quote!(#shards));
    }
    if let Some(policy) = &options.retry {
        set("retry", retry(p, policy));
    }
    if let Some(timeout) = options.timeout {
        set("timeout", duration(p, timeout));
    }
    if let Some((max, wait)) = options.batch_limits {
        let wait = duration(p, wait);
        set("batch", quote::quote!(#max, #wait));
    }
    if let Some(start) = &options.start {
        set(
            "start",
            match start {
                Start::Now => quote::quote!(#p::Start::Now),
                Start::Beginning => quote::quote!(#p::Start::Beginning),
                Start::At { seconds, nanos } => quote::quote!(#p::start_at(#seconds, #nanos)),
            },
        );
    }
    if let Some((_, on_dead)) = options.on_dead {
        set(
            "on_dead",
            match on_dead {
                "hold" => quote::quote!(#p::OnDead::Hold),
                _ => quote::quote!(#p::OnDead::Continue),
            },
        );
    }
    if options.audit {
        set("audit", TokenStream::new());
    }
    setters
}

fn retry(p: &TokenStream, retry: &Retry) -> TokenStream {
    match retry {
        Retry::None => quote::quote!(#p::RetryPolicy::NONE),
        Retry::Backoff { max, between } => {
            let (from, to) = (duration(p, between.0), duration(p, between.1));
            quote::quote!(#p::RetryPolicy::exponential(#max, #from, #to))
        }
        Retry::Custom { max, decide } => {
            let p = at(p, mixed_at(decide));
            quote_spanned! {mixed_at(decide)=> #p::RetryPolicy::custom(#max, #decide) }
        }
    }
}

fn duration(p: &TokenStream, duration: Duration) -> TokenStream {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    quote::quote!(#p::Duration::from_millis(#millis))
}

fn handle(p: &TokenStream, consumer: &Consumer<'_>) -> TokenStream {
    let Consumer { function, handler, arguments, .. } = consumer;
    let ident = &function.signature.ident;
    let (passed, states) = passed(p, arguments);
    let parts: Vec<&Type> = arguments.parts().collect();
    let run = run(p, function, handler, &passed);
    let (handler, work, outcome) = match handler {
        Handler::Each => (
            quote_spanned! {Span::mixed_site()=> HandleEach<__State> },
            quote_spanned! {Span::mixed_site()=> delivery: #p::Delivery<Self::Event>, },
            quote_spanned! {Span::mixed_site()=> #p::Outcome },
        ),
        Handler::Batch => (
            quote_spanned! {Span::mixed_site()=> HandleBatch<__State> },
            quote_spanned! {Span::mixed_site()=> delivery: #p::Batch<Self::Event>, },
            quote_spanned! {Span::mixed_site()=> #p::BatchOutcome },
        ),
        Handler::Tx(database) => (
            quote_spanned! {Span::mixed_site()=> HandleTx<__State, #database> },
            quote_spanned! {Span::mixed_site()=>
                delivery: #p::Delivery<Self::Event>, tx: &mut #p::Tx<'_, #database>,
            },
            quote_spanned! {Span::mixed_site()=> #p::Outcome },
        ),
    };
    let future = at(p, mixed_at(ident));
    let future = quote_spanned! {mixed_at(ident)=>
        impl #future::Future<Output = #p::Result<#outcome, #p::ConsumerError>> + #future::Send
    };
    let conditions = function.conditions();
    quote_spanned! {Span::mixed_site()=>
        #(#conditions)*
        #[automatically_derived]
        impl<__State> #p::#handler for #ident
        where
            #(#parts: #p::FromRef<__State>,)*
        {
            #[allow(deprecated, unused_variables)]
            fn handle(
                #work
                state: &__State,
                context: #p::Context,
            ) -> #future {
                #(let #states = #p::State(<#parts as #p::FromRef<__State>>::from_ref(state));)*
                #run
            }
        }
    }
}

/// What is passed to the function, and the variables among it that hold parts of the state.
fn passed(p: &TokenStream, arguments: &Arguments) -> (Vec<TokenStream>, Vec<Ident>) {
    let mut states = Vec::new();
    let passed = arguments
        .all
        .iter()
        .map(|argument| match argument {
            Argument::Event { form: Form::ByValue, .. } => {
                quote_spanned! {Span::mixed_site()=> #p::Delivery::into_event(delivery) }
            }
            Argument::Event { .. } => quote_spanned! {Span::mixed_site()=> delivery },
            Argument::State { .. } => {
                let state = format_ident!("state_{}", states.len(), span = Span::mixed_site());
                states.push(state.clone());
                quote_spanned! {Span::mixed_site()=> #state }
            }
            Argument::Context { .. } => quote_spanned! {Span::mixed_site()=> context },
            Argument::Tx { .. } => quote_spanned! {Span::mixed_site()=> tx },
        })
        .collect();
    (passed, states)
}

/// The future: errors about what it returns point at the return type, and errors about its
/// being `Send` at the function.
fn run(
    p: &TokenStream,
    function: &Function,
    handler: &Handler<'_>,
    passed: &[TokenStream],
) -> TokenStream {
    let ident = &function.signature.ident;
    let returned = match &function.signature.output {
        ReturnType::Type(_, returned) => mixed_at(returned),
        ReturnType::Default => mixed_at(ident),
    };
    let runtime = p;
    let p = at(p, returned);
    let (count, convert) = match handler {
        Handler::Batch => (
            Some(quote_spanned! {Span::mixed_site()=> let len = #runtime::batch_len(&delivery); }),
            quote_spanned! {returned=> #p::IntoBatchOutcome::into_batch_outcome(returned, len) },
        ),
        Handler::Each | Handler::Tx(_) => {
            (None, quote_spanned! {returned=> #p::IntoOutcome::into_outcome(returned) })
        }
    };
    quote_spanned! {mixed_at(ident)=>
        async move {
            #count
            let returned = #ident(#(#passed),*).await;
            #convert
        }
    }
}

fn bind(p: &TokenStream, consumer: &Consumer<'_>) -> TokenStream {
    let ident = &consumer.function.signature.ident;
    let parts: Vec<&Type> = consumer.arguments.parts().collect();
    let state = quote_spanned! {Span::mixed_site()=> __State: #p::Send + #p::Sync + 'static };
    let any = quote_spanned! {Span::mixed_site()=> __Database };
    let of_any = quote_spanned! {Span::mixed_site()=> #state, #any: #p::Backend };
    let (parameters, database, make) = match consumer.handler {
        Handler::Each => (of_any, any, "each"),
        Handler::Batch => (of_any, any, "batch"),
        Handler::Tx(database) => (state, quote::quote!(#database), "tx"),
    };
    let (event, make) = (consumer.event, Ident::new(make, Span::mixed_site()));
    let conditions = consumer.function.conditions();
    quote_spanned! {Span::mixed_site()=>
        #(#conditions)*
        #[automatically_derived]
        impl<#parameters> #p::Consumer<__State, #database> for #ident
        where
            #(#parts: #p::FromRef<__State>,)*
        {
            fn bind(state: &#p::Arc<__State>) -> #p::Bound<#database> {
                // The one place that asks whether the event is one.
                #p::bind::#make::<#event, Self, __State, #database>(state)
            }
        }
    }
}

/// The errors, and a consumer that spares the rest of the file errors about its absence. Its
/// empty name tells the checks of registries that it is already reported.
pub(super) fn fallback(
    function: &Function,
    options: &Options,
    arguments: &Arguments,
    errors: Errors,
) -> TokenStream {
    let errors = errors.into_compile_errors();
    if function.signature.receiver().is_some() {
        return errors; // In an `impl` there can be no struct.
    }
    let p = private_path(options.krate.as_ref());
    let ident = &function.signature.ident;
    let struct_ = structure(function, "");
    let event = match arguments.event() {
        Some((event, ..)) if function.signature.generics.params.is_empty() => quote::quote!(#event),
        _ => quote::quote!(#p::UnknownEvent),
    };
    let conditions = function.conditions();
    quote_spanned! {Span::mixed_site()=>
        #errors
        #struct_
        #(#conditions)*
        #[automatically_derived]
        impl #p::ConsumerDef for #ident {
            type Event = #event;
            const OPTIONS: #p::ConsumerOptions = #p::ConsumerOptions::new("");
        }
        #(#conditions)*
        #[automatically_derived]
        impl<__State, __Database: #p::Backend> #p::Consumer<__State, __Database> for #ident {
            fn bind(_: &#p::Arc<__State>) -> #p::Bound<__Database> {
                ::core::unreachable!()
            }
        }
    }
}
