#include "compiler/driver/child_process.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <sstream>
#include <system_error>
#include <utility>

#include "runtime/base/error.h"

namespace halcyon::compiler {

namespace {

constexpr rlim_t kMostOutputBytes = rlim_t{1} << 30;  // a program that prints for ever

/// A file without a name, for what a program prints.
class Capture {
 public:
  Capture() : file_(memfd_create("halcyon", MFD_CLOEXEC)) {
    if (file_ < 0) throw SystemError("cannot make a file in memory: " + error_text());
  }
  ~Capture() { close(file_); }
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  int number() const { return file_; }
  std::string text() const {
    std::string text;
    std::array<char, 4096> buffer;
    lseek(file_, 0, SEEK_SET);
    for (ssize_t n = 0; (n = read(file_, buffer.data(), buffer.size())) > 0;)
      text.append(buffer.data(), static_cast<std::size_t>(n));
    return text;
  }
  static std::string error_text() { return std::strerror(errno); }

 private:
  int file_;
};

/// What runs in the child, up to the program itself; says through `report` why that did not start.
[[noreturn]] void become(char* const* arguments, int out, int err, int report,
                         const sigset_t& signals) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const rlimit limit = {kMostOutputBytes, kMostOutputBytes};
  setrlimit(RLIMIT_FSIZE, &limit);
  const int nothing = open("/dev/null", O_RDONLY);
  dup2(nothing, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
  pthread_sigmask(SIG_SETMASK, &signals, nullptr);
  execvp(arguments[0], arguments);
  const int error = errno;
  (void)!write(report, &error, sizeof error);
  _exit(127);
}

/// Ends the child's whole group, which exists until the child is waited for.
int kill_and_wait(pid_t child) {
  kill(-child, SIGKILL);
  int status = -1;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  return status;
}

bool has_ended(pid_t child) {
  siginfo_t info = {};
  return waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == child;
}

}  // namespace

HeldSignals::HeldSignals() {
  sigemptyset(&ending_);
  for (const int signal : {SIGHUP, SIGINT, SIGTERM}) {
    struct sigaction now = {};
    if (sigaction(signal, nullptr, &now) == 0 && now.sa_handler != SIG_IGN)
      sigaddset(&ending_, signal);
  }
  awaited_ = ending_;
  sigaddset(&awaited_, SIGCHLD);
  pthread_sigmask(SIG_BLOCK, &awaited_, &before_);
}

HeldSignals::~HeldSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

bool HeldSignals::wait() const {
  // SIGCHLD comes at once; where another thread takes it, this is how late we are.
  constexpr timespec kMoment = {0, 20'000'000};
  const int signal = sigtimedwait(&awaited_, nullptr, &kMoment);
  if (signal <= 0 || sigismember(&ending_, signal) != 1) return false;
  raise(signal);  // held again
  return true;
}

std::vector<std::string> tool_words(const char* variable, const std::string& otherwise) {
  const char* given = std::getenv(variable);
  const std::string text = given == nullptr ? "" : given;
  std::error_code ignored;
  if (text.find('/') != text.npos && std::filesystem::is_regular_file(text, ignored)) return {text};
  std::istringstream in(text);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words.empty() ? std::vector<std::string>{otherwise} : words;
}

Finished run_child(const std::vector<std::string>& words, std::chrono::seconds limit,
                   const HeldSignals& signals) {
  using Clock = std::chrono::steady_clock;
  const Capture out, err;
  int report[2];
  if (pipe2(report, O_CLOEXEC) != 0)
    throw SystemError("cannot run " + words[0] + ": " + Capture::error_text());
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);

  const Clock::time_point end = Clock::now() + limit;
  const pid_t child = fork();
  if (child == 0) become(arguments.data(), out.number(), err.number(), report[1], signals.before());
  Finished finished;
  finished.launch_error = child < 0 ? errno : 0;
  close(report[1]);
  if (child > 0 && read(report[0], &finished.launch_error, sizeof(int)) <= 0)
    finished.launch_error = 0;
  close(report[0]);
  if (child < 0) return finished;

  bool interrupted = false;
  while (!has_ended(child) && !interrupted && !finished.timed_out) {
    interrupted = signals.wait();
    finished.timed_out = Clock::now() >= end && !has_ended(child);
  }
  finished.status = kill_and_wait(child);
  if (interrupted) throw SystemError("interrupted while " + words[0] + " ran");
  finished.output = out.text();
  finished.errors = err.text();
  return finished;
}

}  // namespace halcyon::compiler
