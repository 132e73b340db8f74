#pragma once
/// Programs that this one starts: without a shell, with a time limit, and never outliving it.

#include <signal.h>

#include <chrono>
#include <string>
#include <vector>

namespace halcyon::compiler {

/// While it exists, SIGHUP, SIGINT and SIGTERM wait until it is gone: whoever makes temporary files
/// makes this first, and no signal ends the program before they are removed. Those that the program
/// ignores stay ignored.
class HeldSignals {
 public:
  HeldSignals();
  ~HeldSignals();
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;

  /// Waits until a child may have ended, one of these signals came, or for a moment.
  /// Returns whether one came; it ends the program when the signals are no longer held.
  bool wait() const;
  /// What a child begins with.
  const sigset_t& before() const { return before_; }

 private:
  sigset_t ending_ = {}, awaited_ = {}, before_ = {};
};

/// The words of an environment variable that names a tool, which may be more than a program:
/// CXX="ccache g++", "g++ -m64". The path of a program with blanks in it is one word.
std::vector<std::string> tool_words(const char* variable, const std::string& otherwise);

struct Finished {
  int status = -1;  ///< as waitpid says
  bool timed_out = false;
  int launch_error = 0;  ///< errno when the program could not be started
  std::string output;
  std::string errors;
};

/// Runs a program with an empty standard input to its end or to the limit; then it and what it
/// started are killed.
/// Errors: SystemError if the machine refuses a process, or a signal came meanwhile.
Finished run_child(const std::vector<std::string>& words, std::chrono::seconds limit,
                   const HeldSignals& signals);

}  // namespace halcyon::compiler
