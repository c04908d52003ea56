//! What goes around the body of an emitting handler.
//!
//! Local variables have the hygiene of `macro_rules`, so that none of them clashes with the user's;
//! the transaction's name is the user's own token, so that the body finds it.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{ReturnType, Type};

use super::arguments::{Tx, TxForm};
use super::expand::entry;
use super::types::without_impl_trait;
use super::validate::{Event, Handler};
use crate::function::Function;
use crate::paths::{at, mixed_at};
use crate::types::{last_segment, parameters};

/// The function with its body inside all that emits.
pub(super) fn function(p: &TokenStream, handler: &Handler<'_>) -> TokenStream {
    let Handler { function, .. } = handler;
    let fail = fail(p, handler);
    let input = input(p, handler);
    let open = open(p, handler);
    let run = run(p, handler);
    let event = event(p, handler);
    let finish = match handler.tx.form {
        TxForm::Lazy | TxForm::Owned => quote_spanned!(Span::mixed_site()=> #p::emits::commit),
        TxForm::Borrowed => quote_spanned!(Span::mixed_site()=> #p::emits::keep),
    };
    let (output, returned) = match handler.options.infallible {
        Some(_) => (
            quote_spanned! {Span::mixed_site()=> let output = #run; },
            quote_spanned! {Span::mixed_site()=> output },
        ),
        // No variable of the whole result: it would count as kept while the event is emitted, and
        // errors need not be `Send`.
        None => (
            quote_spanned! {Span::mixed_site()=>
                let output = match #run {
                    #p::Result::Ok(output) => output,
                    #p::Result::Err(error) => return #p::Result::Err(error),
                };
            },
            quote_spanned! {Span::mixed_site()=> #p::Result::Ok(output) },
        ),
    };
    let body = quote_spanned! {Span::mixed_site()=>
        #fail
        #input
        #open
        #output
        #event
        match #finish(open, event).await {
            #p::Result::Ok(()) => #returned,
            #p::Result::Err(error) => fail(error),
        }
    };
    function.with_body(&body)
}

/// The function after an error, so that its body compiles: in it, a transaction that was to be
/// begun is one that is.
pub(super) fn fallback(p: &TokenStream, function: &Function, tx: Option<&Tx>) -> TokenStream {
    let Some(Tx { ident, mutability, form: TxForm::Lazy }) = tx else {
        return function.to_token_stream();
    };
    let touch = mutability.map(|_| quote_spanned! {Span::mixed_site()=> let _ = &mut #ident; });
    let body = function.body.stream();
    function.with_body(&quote_spanned! {Span::mixed_site()=>
        #touch
        let #mutability #ident = #p::emits::unknown_tx(&#ident);
        let _ = &#ident;
        #body
    })
}

/// How an error of ours becomes what the function returns: said once, with its type, at the error's
/// type, so that an error without a way is one error there.
fn fail(p: &TokenStream, handler: &Handler<'_>) -> TokenStream {
    let signature = &handler.function.signature;
    let (returned, span) = match &signature.output {
        ReturnType::Type(_, returned) => (
            without_impl_trait(returned),
            error_type(returned).map_or(mixed_at(returned), mixed_at),
        ),
        ReturnType::Default => (quote!(()), mixed_at(&signature.ident)),
    };
    let way = match handler.options.infallible {
        Some(_) => "panic",
        None => "fail",
    };
    let way = Ident::new(way, span);
    let at_error = at(p, span);
    let way = quote_spanned! {span=> #at_error::emits::#way };
    quote_spanned! {Span::mixed_site()=>
        let fail: #p::emits::Fail<#returned> = #way;
    }
}

/// `E` of `Result<T, E>`.
fn error_type(returned: &Type) -> Option<&Type> {
    parameters(last_segment(returned)?).nth(1)
}

/// What came in, serialised before the body runs, which may consume it.
fn input(p: &TokenStream, handler: &Handler<'_>) -> TokenStream {
    let Event::Generated { ident, .. } = &handler.event else {
        return quote_spanned! {Span::mixed_site()=>
            let input = #p::Result::Ok(#p::Option::None);
        };
    };
    let values = handler.captured.iter().enumerate().map(|(index, binding)| {
        let index = syn::Index::from(index);
        let reference = binding.reference(binding.ident.span());
        quote_spanned! {Span::mixed_site()=>
            <#ident as #p::emits::Generated>::ARGUMENTS.#index.write(#reference)
        }
    });
    quote_spanned! {Span::mixed_site()=>
        #[allow(clippy::used_underscore_binding)]
        let input = #p::emits::capture::<#ident, _>([#(#values),*]);
    }
}

/// The transaction, begun.
fn open(p: &TokenStream, handler: &Handler<'_>) -> TokenStream {
    let Tx { ident, mutability, form } = handler.tx;
    let marker = &handler.function.signature.ident;
    // An argument that is `mut` is so for the variable that takes its place in the body.
    let touch = mutability.map(|_| {
        quote_spanned! {Span::mixed_site()=>
            #[allow(clippy::used_underscore_binding)]
            let _ = &mut #ident;
        }
    });
    let (way, argument, wait) = match form {
        TxForm::Lazy => {
            let reference = quote_spanned!(Span::mixed_site()=> &#ident);
            ("begin", reference, Some(quote_spanned!(Span::mixed_site()=> .await)))
        }
        TxForm::Owned => ("take", quote!(#ident), None),
        TxForm::Borrowed => ("borrow", quote!(#ident), None),
    };
    let way = Ident::new(way, Span::mixed_site());
    let entry = match &handler.event {
        Event::Generated { ident, .. } => entry(p, ident),
        Event::Own { event, .. } => entry(p, event),
    };
    quote_spanned! {Span::mixed_site()=>
        #touch
        #[allow(clippy::used_underscore_binding)]
        let mut open = match #p::emits::#way::<#marker, _>(#argument, input, #entry)#wait {
            #p::Result::Ok(open) => open,
            #p::Result::Err(error) => return fail(error),
        };
    }
}

/// The body, with the transaction lent to it; the branch that is never taken says what it returns.
///
/// As in any async function, arguments move into it: with references to them, the future would not
/// be `Send` where they are not `Sync`, as a request of axum is not. Only an event of the user's own
/// is made from what the body has not consumed.
fn run(p: &TokenStream, handler: &Handler<'_>) -> TokenStream {
    let Tx { ident, mutability, form } = handler.tx;
    let moves = match handler.event {
        Event::Generated { .. } => Some(syn::Token![move](Span::mixed_site())),
        Event::Own { .. } => None,
    };
    let lend = match form {
        TxForm::Lazy | TxForm::Owned => quote_spanned!(Span::mixed_site()=> #p::emits::lend),
        TxForm::Borrowed => quote_spanned!(Span::mixed_site()=> #p::emits::reborrow),
    };
    let body = &handler.function.body;
    // Shown at the body, since that is where what is moved goes.
    let asynchronous = quote_spanned! {mixed_at(body)=> async };
    quote_spanned! {Span::mixed_site()=>
        {
            let #mutability #ident = #lend(&mut open);
            #[allow(clippy::used_underscore_binding)]
            let _ = &#ident;
            let returned = #asynchronous #moves {
                if false {
                    return #p::emits::returned_by(fail);
                }
                #body
            }
            .await;
            returned
        }
    }
}

fn event(p: &TokenStream, handler: &Handler<'_>) -> TokenStream {
    let marker = &handler.function.signature.ident;
    let output = handler.output.as_ref().map(|ty| {
        let span = match &handler.function.signature.output {
            ReturnType::Type(_, returned) => mixed_at(returned),
            ReturnType::Default => mixed_at(marker),
        };
        let p = at(p, span);
        quote_spanned! {span=> #p::emits::output::<#ty, _, _>(&output) }
    });
    match &handler.event {
        Event::Generated { ident, .. } => {
            let written = output.map(|output| {
                quote_spanned! {Span::mixed_site()=>
                    <#ident as #p::emits::Generated>::OUTPUT.write(#output)
                }
            });
            quote_spanned! {Span::mixed_site()=>
                let event = #p::emits::event::<#ident, _, _, _>(&mut open, [#written]);
            }
        }
        Event::Own { event, with } => {
            let span = mixed_at(with);
            let references: Vec<TokenStream> = handler
                .captured
                .iter()
                .map(|binding| binding.reference(span))
                .chain(output)
                .collect();
            let holes = references.iter().map(|_| quote!(_));
            let make = format_ident!("with_{}", references.len(), span = span);
            let at_with = at(p, span);
            let make = quote_spanned! {span=> #at_with::emits::#make };
            quote_spanned! {Span::mixed_site()=>
                #[allow(clippy::used_underscore_binding)]
                let event = #p::emits::own_event(
                    &open,
                    #make::<#event, #(#holes),*>(
                        #with,
                        #(#references),*
                    ),
                    // The one place that asks whether the event is one.
                    #p::emits::prepare::<#event, _, _>,
                );
            }
        }
    }
}
