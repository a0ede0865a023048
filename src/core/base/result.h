// Result<T>: a value or the Error that kept it from being made.
#pragma once

#include <cassert>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "core/base/error.h"

namespace steward {

/// The outcome of an operation that can fail for reasons outside the program. Convertible from a value and from an
/// Error, so that `return value;` and `return Error(...);` both read naturally. Check `ok()` before `value()`: the other
/// order is a bug of ours and is asserted.
template <typename T>
class [[nodiscard]] Result {
public:
    using value_type = T;

    Result(T value) : outcome_(std::in_place_index<0>, std::move(value)) {}            // NOLINT: implicit by design
    Result(Error error) : outcome_(std::in_place_index<1>, std::move(error)) {}        // NOLINT: implicit by design
    template <typename U>
        requires(std::is_convertible_v<U &&, T> && !std::is_same_v<std::remove_cvref_t<U>, T> &&
                 !std::is_same_v<std::remove_cvref_t<U>, Error> && !std::is_same_v<std::remove_cvref_t<U>, Result>)
    Result(U&& value) : outcome_(std::in_place_index<0>, std::forward<U>(value)) {}    // NOLINT: implicit by design

    bool ok() const { return outcome_.index() == 0; }
    explicit operator bool() const { return ok(); }

    T& value() & { assert(ok()); return *std::get_if<0>(&outcome_); }
    const T& value() const& { assert(ok()); return *std::get_if<0>(&outcome_); }
    T&& value() && { assert(ok()); return std::move(*std::get_if<0>(&outcome_)); }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(*this).value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

    const Error& error() const& { assert(!ok()); return *std::get_if<1>(&outcome_); }
    Error&& error() && { assert(!ok()); return std::move(*std::get_if<1>(&outcome_)); }

    /// Add a "while ..." line if this is an error; `line` is a callable returning the text, so that success pays nothing.
    template <typename F>
    Result&& context(F&& line) && {
        if (Error* error = std::get_if<1>(&outcome_)) *error = std::move(*error).context(std::forward<F>(line)());
        return std::move(*this);
    }

private:
    std::variant<T, Error> outcome_;
};

/// The outcome of an operation that returns nothing. `return {};` means success.
template <>
class [[nodiscard]] Result<void> {
public:
    using value_type = void;

    Result() = default;
    Result(Error error) : error_(std::move(error)) {}  // NOLINT: implicit by design

    bool ok() const { return !error_.has_value(); }
    explicit operator bool() const { return ok(); }

    const Error& error() const& { assert(!ok()); return *error_; }
    Error&& error() && { assert(!ok()); return std::move(*error_); }

    template <typename F>
    Result&& context(F&& line) && {
        if (error_) *error_ = std::move(*error_).context(std::forward<F>(line)());
        return std::move(*this);
    }

private:
    std::optional<Error> error_;
};

#define STEWARD_CONCAT_INNER(a, b) a##b
#define STEWARD_CONCAT(a, b) STEWARD_CONCAT_INNER(a, b)

/// Evaluate a Result; return its error from the enclosing function, or go on.
#define TRY(expression)                                      \
    do {                                                     \
        auto try_result = (expression);                      \
        if (!try_result.ok()) return std::move(try_result).error(); \
    } while (false)

/// Evaluate a Result; return its error from the enclosing function, or bind its value: `TRY_ASSIGN(auto fd, open(...));`
#define TRY_ASSIGN(declaration, expression) \
    TRY_ASSIGN_INNER(STEWARD_CONCAT(try_result_, __LINE__), declaration, expression)
#define TRY_ASSIGN_INNER(result, declaration, expression) \
    auto result = (expression);                           \
    if (!result.ok()) return std::move(result).error();   \
    declaration = std::move(result).value()

}  // namespace steward
