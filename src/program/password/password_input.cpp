#include "program/password/password_input.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>

#include "core/base/file.h"
#include "core/base/format.h"
#include "core/crypto/scram_verifier.h"

namespace steward {

namespace {

constexpr size_t kMostBytes = 64 * 1024;
constexpr int kLookMilliseconds = 100;

/// A place to read into that is wiped when it goes.
struct Buffer {
    std::array<char, 4096> bytes;

    ~Buffer() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
};

/// The terminal without echo, but for the newline, while this lives.
class HiddenInput {
public:
    explicit HiddenInput(int fd) : fd_(fd) {
        termios hidden;
        if (::tcgetattr(fd_, &hidden) != 0) return;
        before_ = hidden;
        hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        hidden.c_lflag |= ECHONL;
        ::tcsetattr(fd_, TCSAFLUSH, &hidden);
    }
    HiddenInput(const HiddenInput&) = delete;
    ~HiddenInput() {
        if (before_) ::tcsetattr(fd_, TCSANOW, &*before_);
    }
    bool hides() const { return before_.has_value(); }

private:
    int fd_;
    std::optional<termios> before_;
};

Result<Secret> checked(Secret password) {
    if (password.view().ends_with('\n')) password.drop_last(1);
    if (password.empty()) return Error(ErrorCode::invalid_argument, "the password is empty");
    if (password.view().find('\0') != std::string_view::npos) return Error(ErrorCode::invalid_argument, "the password holds a zero byte");
    return password;
}

Result<void> append_checked(Secret& password, std::string_view text) {
    password.append(text);
    if (password.view().size() <= kMostBytes) return {};
    return Error(ErrorCode::invalid_argument, "the password is too long").detail(formatted("It may have {} bytes.", kMostBytes - 1));
}

/// Wait for what comes next of a terminal, a pipe or a file, append it to `password`, and return how much that was: 0 at the end.
Result<size_t> read_more(int fd, Secret& password, const char* what, const CancelToken& cancel) {
    Buffer buffer;
    for (;;) {
        TRY(check_cancel(cancel));
        pollfd ready{fd, POLLIN, 0};
        if (::poll(&ready, 1, kLookMilliseconds) <= 0) continue;
        const ssize_t n = ::read(fd, buffer.bytes.data(), buffer.bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return Error::from_errno(errno, formatted("could not read {}", what));
        TRY(append_checked(password, {buffer.bytes.data(), static_cast<size_t>(n)}));
        return static_cast<size_t>(n);
    }
}

Result<Secret> read_all(int fd, const char* what, const CancelToken& cancel) {
    Secret password;
    for (;;) {
        TRY_ASSIGN(const size_t n, read_more(fd, password, what, cancel));
        if (n == 0) return checked(std::move(password));
    }
}

Result<Secret> ask(const char* prompt, const CancelToken& cancel) {
    const HiddenInput hidden(STDIN_FILENO);
    if (!hidden.hides()) return Error::from_errno(errno, "could not hide the terminal's input");
    TRY(write_all(STDERR_FILENO, as_bytes(prompt), "standard error"));
    Secret line;
    while (!line.view().ends_with('\n')) {
        TRY_ASSIGN(const size_t n, read_more(STDIN_FILENO, line, "the terminal", cancel));
        if (n == 0) break;
    }
    return checked(std::move(line));
}

}  // namespace

Result<Secret> read_password_file(int fd, const std::filesystem::path& file, const CancelToken& cancel) {
    return read_all(fd, formatted("file \"{}\"", file.native()).c_str(), cancel);
}

Result<Secret> read_password_input(const CancelToken& cancel) {
    if (::isatty(STDIN_FILENO) == 0) return read_all(STDIN_FILENO, "standard input", cancel);
    TRY_ASSIGN(Secret password, ask("New password: ", cancel));
    TRY_ASSIGN(const Secret again, ask("The same again: ", cancel));
    if (password.view() != again.view()) return Error(ErrorCode::usage, "the two passwords differ");
    return password;
}

Result<Secret> generate_password() {
    std::array<unsigned char, kGeneratedPasswordSize> random;
    if (RAND_priv_bytes(random.data(), static_cast<int>(random.size())) != 1) return Error(ErrorCode::internal, "could not get random numbers");
    Secret password = password_of(std::as_bytes(std::span(random)));
    OPENSSL_cleanse(random.data(), random.size());
    return password;
}

}  // namespace steward
