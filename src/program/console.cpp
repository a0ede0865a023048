#include "program/console.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>

#include "core/base/bytes.h"
#include "core/base/format.h"

namespace steward {

using namespace std::chrono_literals;

namespace {

constexpr std::string_view kProgram = "pg_steward";

void say(std::string_view kind, std::string_view text) {
    if (!text.empty()) fmt::print(stderr, "{}: {}: {}\n", kProgram, kind, text);
}

void say_all(std::string_view kind, const Error& error) {
    say(kind, error.message());
    say("detail", error.detail());
    say("hint", error.hint());
    for (const std::string& line : error.context()) say("context", line);
}

}  // namespace

int report_error(const Error& error) {
    say_all("error", error);
    return info(error.code()).exit_status;
}

void report_warning(const Error& error) { say_all("warning", error); }

Result<void> print(std::string_view text) {
    if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0) return {};
    return Error(ErrorCode::io_error, "could not write to standard output");
}

void ConsoleLog::write(const LogRecord& record) {
    if (record.level < LogLevel::kLog) return;
    std::string text = record.message;
    for (const auto& [name, value] : record.fields) text += formatted(" {}={}", name, value);
    say(record.level == LogLevel::kWarning ? "warning" : "info", text);
    say("detail", record.detail);
    say("hint", record.hint);
}

std::string describe(const RestoreProgress& progress) {
    const uint64_t total = progress.total, done = progress.done;
    const bool in_bytes = progress.in_bytes;
    const char* phase = progress.phase;
    if (total == 0) return phase;
    const unsigned percent = static_cast<unsigned>(100.0 * static_cast<double>(done) / static_cast<double>(total));
    if (in_bytes) return formatted("{}: {}%, {} of {}", phase, percent, pretty_size(done), pretty_size(total));
    return formatted("{}: {}%, {} of {}", phase, percent, done, total);
}

ProgressDisplay::ProgressDisplay(const RestoreProgress& progress)
    : progress_(progress), terminal_(::isatty(STDERR_FILENO) == 1), thread_([this](std::stop_token stop) { run(stop); }) {}

ProgressDisplay::~ProgressDisplay() {
    thread_.request_stop();
    thread_.join();
    if (terminal_ && !last_line_.empty()) fmt::print(stderr, "\r\033[K");
}

void ProgressDisplay::run(std::stop_token stop) {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    while (!never.wait_for(lock, stop, terminal_ ? 200ms : 5000ms, [] { return false; }) && !stop.stop_requested()) {
        if (terminal_)
            draw_bar();
        else
            print_line();
    }
}

void ProgressDisplay::draw_bar() {
    constexpr unsigned kWidth = 30;
    const uint64_t total = progress_.total, done = progress_.done;
    std::string bar;
    if (total != 0) {
        const unsigned filled = std::min<unsigned>(kWidth, static_cast<unsigned>(kWidth * done / total));
        bar = formatted("[{}{}] ", std::string(filled, '='), std::string(kWidth - filled, ' '));
    }
    last_line_ = bar + describe(progress_);
    fmt::print(stderr, "\r\033[K{}", last_line_);
    std::fflush(stderr);
}

void ProgressDisplay::print_line() {
    std::string line = describe(progress_);
    if (line == last_line_) return;
    last_line_ = std::move(line);
    say("info", last_line_);
}

}  // namespace steward
