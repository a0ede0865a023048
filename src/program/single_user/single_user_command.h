// The command line of a server in single-user mode.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace steward {

/// A server that is to be run in single-user mode. All paths are absolute.
struct SingleUserServer {
    std::filesystem::path program;  ///< postgres
    int major = 0;                  ///< of the data directory and the program
    std::filesystem::path data_directory;
    std::filesystem::path config_file;
    std::string database = "template1";  ///< the one that clusters are hardly ever without
};

/// Return the command line, the program first: the cluster's own configuration, but for what could keep the server from starting or a
/// statement from being carried out (libraries to load, standbys to wait for, read-only transactions, timeouts), and without a log that
/// could show statements. Pure.
std::vector<std::string> single_user_command(const SingleUserServer& server);

}  // namespace steward
