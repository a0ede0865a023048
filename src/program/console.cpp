#include "program/console.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>

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
        const ProgressSample now = sample(progress_);
        if (terminal_)
            draw_bar(now);
        else
            print_line(now);
    }
}

std::chrono::milliseconds ProgressDisplay::time_in_phase(const ProgressSample& progress) {
    const auto now = std::chrono::steady_clock::now();
    // Names of phases are literals, each with an address of its own.
    if (progress.phase != phase_) {
        phase_ = progress.phase;
        phase_began_ = now;
    }
    return std::chrono::duration_cast<std::chrono::milliseconds>(now - phase_began_);
}

void ProgressDisplay::draw_bar(const ProgressSample& progress) {
    constexpr unsigned kWidth = 30;
    std::string bar;
    if (progress.total != 0) {
        const unsigned filled = std::min<unsigned>(kWidth, static_cast<unsigned>(kWidth * progress.done / progress.total));
        bar = formatted("[{}{}] ", std::string(filled, '='), std::string(kWidth - filled, ' '));
    }
    last_line_ = bar + describe(progress, time_in_phase(progress));
    fmt::print(stderr, "\r\033[K{}", last_line_);
    std::fflush(stderr);
}

void ProgressDisplay::print_line(const ProgressSample& progress) {
    std::string line = describe(progress, time_in_phase(progress));
    if (line == last_line_) return;
    last_line_ = std::move(line);
    say("info", last_line_);
}

}  // namespace steward
