#include "tests/e2e/run_program.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "tests/runtime/temporary_folder.h"

extern char** environ;

namespace halcyon::tests {
namespace {

using Clock = std::chrono::steady_clock;

/// The pointers that execve wants; `text` must outlive them.
std::vector<char*> pointers_of(std::vector<std::string>& text) {
  std::vector<char*> pointers;
  for (std::string& word : text) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> environment_of(const Command& command) {
  std::vector<std::string> list;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (!command.environment.contains(text.substr(0, text.find('=')))) list.push_back(text);
  }
  for (const auto& [name, value] : command.environment) list.push_back(name + "=" + value);
  return list;
}

void redirect(const std::string& path, int to) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (file < 0 || ::dup2(file, to) < 0) ::_exit(126);
}

/// Waits for `child`, asks every `pause` whether to kill it; returns what waitpid says.
int wait_or_kill(pid_t child, const std::function<bool()>& when, int signal,
                 std::chrono::microseconds pause) {
  int status = 0;
  while (true) {
    const pid_t ended = ::waitpid(child, &status, WNOHANG);
    if (ended == child) return status;
    if (ended < 0 && errno != EINTR) throw std::runtime_error("waitpid failed");
    if (when()) ::kill(child, signal);
    std::this_thread::sleep_for(pause);
  }
}

Finished run(const Command& command, const std::function<bool()>& kill_when, int signal,
             std::chrono::microseconds pause) {
  const TemporaryFolder folder;
  const std::string out = folder.file("out"), err = folder.file("err");
  std::vector<std::string> words = command.words, environment = environment_of(command);
  const std::vector<char*> arguments = pointers_of(words), variables = pointers_of(environment);
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("fork failed");
  if (child == 0) {
    redirect("/dev/null", STDIN_FILENO);
    redirect(out, STDOUT_FILENO);
    redirect(err, STDERR_FILENO);
    if (!command.folder.empty() && ::chdir(command.folder.c_str()) != 0) ::_exit(126);
    ::execvpe(arguments[0], arguments.data(), variables.data());
    ::_exit(127);
  }
  const int status = wait_or_kill(child, kill_when, signal, pause);
  Finished finished;
  finished.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (finished.status == 127) throw std::runtime_error("cannot run " + command.words[0]);
  finished.output = read_text(out);
  finished.errors = read_text(err);
  return finished;
}

}  // namespace

Finished run_program(const Command& command, int limit_s) {
  const Clock::time_point deadline = Clock::now() + std::chrono::seconds(limit_s);
  return run(
      command, [&] { return Clock::now() >= deadline; }, SIGKILL, std::chrono::milliseconds(1));
}

Finished run_and_kill(const Command& command, const std::function<bool()>& when, int signal) {
  return run(command, when, signal, std::chrono::microseconds(20));
}

std::string read_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  if (!in) throw std::runtime_error("cannot read " + path);
  text << in.rdbuf();
  return text.str();
}

void write_text(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  if (!out.flush()) throw std::runtime_error("cannot write " + path);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

}  // namespace halcyon::tests
