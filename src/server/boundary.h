// The boundary between C++ and the PostgreSQL server: the one place that reasons about both ways of failing.
//
// The server reports errors by ereport(ERROR), which longjmps to the innermost PG_TRY and runs no destructor on its way.
// C++ reports them by Result and, for bugs and exhausted memory, by exceptions, which must not enter a C stack frame of the
// server. So every crossing goes through one of two doors:
//
//   enter(body)        server -> C++. Used by every function the server calls: SQL functions, hooks, worker mains,
//                      archive callbacks. Runs `body`, lets every destructor run, and only then raises what it returned or
//                      threw with ereport(ERROR).
//   call_server(call)  C++ -> server. Wraps every server function that may raise. Runs `call` inside PG_TRY and turns a
//                      raised error into an Error with the server's SQLSTATE, message, detail and hint.
//
// Rules, and what breaks otherwise:
//   1. A callable given to call_server owns nothing: its captures are references or trivial values (checked at compile time)
//      and its body declares no object with a destructor, since a longjmp skips it: a leak, or a lock held for ever.
//   2. An error with code server_raised is returned all the way to enter(). The server has not cleaned up after it yet
//      (locks, snapshots, SPI, the transaction): that is done by whoever catches what enter() raises. Swallowing one and going on
//      corrupts the backend's state.
//   3. ereport(FATAL) and proc_exit() do not come back: destructors of live C++ frames do not run. Nothing that must happen at
//      process end may depend on them; the engine dies with its socket and with its parent.
//   4. Between the two doors the same thread runs on: server code starts no thread, so there is no other stack to jump from.
//
// test/boundary/ raises from both sides, through several crossings, and counts destructors.
#pragma once

#include <exception>
#include <new>
#include <string>
#include <type_traits>
#include <utility>

#include "core/base/result.h"
#include "server/compat.h"

namespace steward {

namespace boundary_detail {

/// An error on its way out of C++: plain pointers into a server memory context, nothing to destroy.
struct PendingError {
    int sqlstate;
    const char* message;
    const char* detail;   ///< nullptr: none; also for the two below
    const char* hint;
    const char* context;
    bool context_is_complete;  ///< the server raised it first, and has asked all our callers for their lines already
};

/// Copy `error` where a longjmp does not lose it. Never raises: without memory a constant text is used.
PendingError pend(const Error& error) noexcept;
PendingError pend_exception(const char* what) noexcept;
PendingError pend_out_of_memory() noexcept;

/// ereport(ERROR) from plain pointers.
[[noreturn]] void raise(const PendingError& error);

/// Turn the error being handled in a PG_CATCH into a value, and forget it there.
Error take_server_error(MemoryContext context);

template <typename F>
using BodyResult = std::invoke_result_t<F>;

}  // namespace boundary_detail

/// Run C++ on behalf of the server. `body` returns Result<T>; the value is returned, an error is raised with ereport(ERROR)
/// after every destructor has run. Exceptions are raised as internal_error, std::bad_alloc as out_of_memory.
template <typename F>
auto enter(F&& body) -> typename boundary_detail::BodyResult<F>::value_type {
    using Value = typename boundary_detail::BodyResult<F>::value_type;
    static_assert(std::is_void_v<Value> || std::is_trivially_destructible_v<Value>, "the server gets plain values");
    boundary_detail::PendingError pending;
    try {
        auto result = std::forward<F>(body)();
        if (result.ok()) {
            if constexpr (std::is_void_v<Value>)
                return;
            else
                return std::move(result).value();
        }
        pending = boundary_detail::pend(result.error());
    } catch (const std::bad_alloc&) {
        pending = boundary_detail::pend_out_of_memory();
    } catch (const std::exception& exception) {
        pending = boundary_detail::pend_exception(exception.what());
    } catch (...) {
        pending = boundary_detail::pend_exception("exception of unknown type");
    }
    boundary_detail::raise(pending);
}

/// Call a part of the server that may raise. Returns what `call` returns; a raised error comes back as server_raised with
/// the server's own SQLSTATE, and must be returned on to enter() (rule 2 above).
template <typename F>
auto call_server(F&& call) -> Result<std::invoke_result_t<F>> {
    using Value = std::invoke_result_t<F>;
    static_assert(std::is_trivially_destructible_v<std::remove_cvref_t<F>>, "a callable that crosses the boundary owns nothing");
    static_assert(std::is_void_v<Value> || std::is_trivially_copyable_v<Value>, "the server returns plain values");

    const MemoryContext context = CurrentMemoryContext;
    volatile bool raised = false;
    using Stored = std::conditional_t<std::is_void_v<Value>, char, Value>;
    Stored value{};
    // Written through a pointer that is never kept in a register: a longjmp may bring back registers as they were before.
    [[maybe_unused]] Stored* const volatile place = &value;
    PG_TRY();
    {
        if constexpr (std::is_void_v<Value>)
            call();
        else
            *place = call();
    }
    PG_CATCH();
    {
        raised = true;
    }
    PG_END_TRY();
    if (raised) return boundary_detail::take_server_error(context);
    if constexpr (std::is_void_v<Value>)
        return {};
    else
        return value;
}

/// Serve pending interrupts: cancel requests come back as errors, termination does not come back.
inline Result<void> check_for_interrupts() {
    return call_server([] { CHECK_FOR_INTERRUPTS(); });
}

}  // namespace steward
