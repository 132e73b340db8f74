#pragma once
/// Runs programs without a shell and keeps what they say.

#include <signal.h>
#include <sys/types.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace halcyon::tests {

struct Finished {
  int status = -1;  ///< exit status; 128 + signal for a program that a signal ended
  std::string output, errors;
};

/// Words of a command and what differs in its environment.
struct Command {
  std::vector<std::string> words;
  std::map<std::string, std::string> environment = {};
  std::string folder = {};  ///< to run in; empty: this process's
};

/// Runs to the end. A program that takes longer than `limit_s` is killed, which shows in its
/// status. Errors: std::runtime_error if it cannot be started.
Finished run_program(const Command& command, int limit_s = 120);

/// Kills, with SIGKILL unless told otherwise, as soon as `when` holds, which is asked all the time.
Finished run_and_kill(const Command& command, const std::function<bool()>& when,
                      int signal = SIGKILL);

/// A file as text. Errors: std::runtime_error if it cannot be read.
std::string read_text(const std::string& path);
void write_text(const std::string& path, const std::string& text);

/// The lines of a text, without their ends.
std::vector<std::string> lines_of(const std::string& text);

}  // namespace halcyon::tests
