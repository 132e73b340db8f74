#include "compiler/driver/source.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>

#include "compiler/graph/parse.h"
#include "dsl/zoo/lenet5.h"
#include "runtime/base/error.h"

namespace halcyon::compiler {

namespace {

struct ImageShape {
  int64_t height, width, channels;
};

/// "28x28x1"
std::optional<ImageShape> parse_image_shape(std::string_view text) {
  std::array<int64_t, 3> numbers = {};
  const char* at = text.data();
  const char* end = text.data() + text.size();
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto [next, error] = std::from_chars(at, end, numbers[i]);
    if (error != std::errc() || numbers[i] < 1 || numbers[i] > 65536) return std::nullopt;
    at = next;
    if (i + 1 < numbers.size() && (at == end || *at++ != 'x')) return std::nullopt;
  }
  if (at != end) return std::nullopt;
  return ImageShape{numbers[0], numbers[1], numbers[2]};
}

dsl::Graph zoo_graph(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  std::string known;
  for (const ZooEntry& entry : zoo()) {
    known += (known.empty() ? "" : ", ") + entry.name;
    if (entry.name != name) continue;
    if (colon == text.npos) return entry.build();
    const std::optional<ImageShape> shape = parse_image_shape(text.substr(colon + 1));
    if (!shape) {
      throw UserError("zoo:" + std::string(text) + ": '" + std::string(text.substr(colon + 1)) +
                          "' is no picture shape",
                      "write HEIGHTxWIDTHxCHANNELS, as in zoo:lenet5:28x28x1");
    }
    return dsl::zoo::lenet5(shape->height, shape->width, shape->channels).graph();
  }
  throw UserError("the zoo has no network '" + std::string(name) + "'", "it has " + known);
}

/// Runs a program without a shell; returns its exit status and what it wrote.
struct Finished {
  int status = -1;
  std::string output;
  std::string errors;
  int launch_error = 0;  ///< errno when the program could not be started
};

/// A folder that is removed with everything in it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::error_code error;
    const std::filesystem::path parent = std::filesystem::temp_directory_path(error);
    if (error) {
      throw SystemError("cannot make a temporary folder: " + error.message(),
                        "the environment variable TMPDIR must name a folder, or none be set");
    }
    std::string pattern = (parent / "halcyon-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) {
      throw SystemError("cannot make a temporary folder: " + std::string(std::strerror(errno)));
    }
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

std::string read_all(int file) {
  std::string text;
  std::array<char, 4096> buffer;
  lseek(file, 0, SEEK_SET);
  for (ssize_t n = 0; (n = read(file, buffer.data(), buffer.size())) > 0;)
    text.append(buffer.data(), static_cast<std::size_t>(n));
  return text;
}

Finished run_program(const std::vector<std::string>& words, const std::filesystem::path& folder) {
  std::string out_name = (folder / "out-XXXXXX").string();
  std::string err_name = (folder / "err-XXXXXX").string();
  const int out = mkstemp(out_name.data());
  const int err = mkstemp(err_name.data());
  int report[2];
  if (out < 0 || err < 0 || pipe2(report, O_CLOEXEC) != 0) {
    throw SystemError("cannot run " + words[0] + ": " + std::strerror(errno));
  }
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    execvp(arguments[0], arguments.data());
    const int error = errno;
    (void)!write(report[1], &error, sizeof error);
    _exit(127);
  }
  close(report[1]);
  Finished finished;
  if (child < 0 || read(report[0], &finished.launch_error, sizeof finished.launch_error) <= 0)
    finished.launch_error = child < 0 ? errno : 0;
  close(report[0]);
  if (child > 0) waitpid(child, &finished.status, 0);
  finished.output = read_all(out);
  finished.errors = read_all(err);
  close(out);
  close(err);
  return finished;
}

/// The folder that holds dsl/ and runtime/base/: installed beside the program, or this source tree.
std::string include_root() {
  if (const char* root = std::getenv("HALCYON_INCLUDE")) return root;
  return HALCYON_SOURCE_DIR;
}

dsl::Graph file_graph(const std::string& path) {
  const std::string extension = std::filesystem::path(path).extension().string();
  if (extension != ".cpp" && extension != ".cc" && extension != ".cxx") {
    throw UserError(
        "'" + path + "' is no network: its name ends with neither .cpp nor .cc nor .cxx",
        "a DSL file (.cpp) or zoo:NAME");
  }
  if (!std::filesystem::is_regular_file(path)) {
    throw UserError("cannot read network file '" + path + "'", "a DSL file (.cpp) or zoo:NAME");
  }
  const char* given = std::getenv("CXX");
  const std::string compiler = given != nullptr && *given != '\0' ? given : "c++";
  const TemporaryFolder folder;
  const std::string program = (folder.path() / "generator").string();
  const std::string root = include_root();
  std::vector<std::string> command = {compiler,    "-std=c++20",
                                      "-O0",       "-DHALCYON_GENERATOR",
                                      "-I" + root, "-I" + root + "/dsl/include",
                                      path,        "-o",
                                      program};
  if (compiler.find("clang") != std::string::npos)
    command.insert(command.begin() + 1, "-fconstexpr-steps=100000000");
  const Finished compiled = run_program(command, folder.path());
  if (compiled.launch_error != 0) {
    throw SystemError(
        "cannot run the C++ compiler '" + compiler + "': " + std::strerror(compiled.launch_error),
        "install g++ or clang++, or name one in the environment variable CXX");
  }
  if (compiled.status != 0) {
    const bool no_main = compiled.errors.find("undefined reference to `main'") != std::string::npos;
    throw UserError(path + " does not compile:\n" + compiled.errors,
                    no_main ? "a network file ends with HALCYON_NETWORK(function)" : "");
  }
  const Finished printed = run_program({program}, folder.path());
  if (printed.status != 0) {
    const bool said = printed.errors.starts_with("error: ");
    throw UserError(said ? path + ": " +
                               printed.errors.substr(7, printed.errors.find_last_not_of('\n') - 6)
                         : path + ": the program that describes the network failed");
  }
  return parse_graph(printed.output, path);
}

}  // namespace

const std::vector<ZooEntry>& zoo() {
  static const std::vector<ZooEntry> entries = {
      {"lenet5",
       "LeNet-5 with ReLU and max pooling, 32x32x3 or any :HEIGHTxWIDTHxCHANNELS (LeCun et al. "
       "1998)",
       [] { return dsl::zoo::lenet5().graph(); }},
  };
  return entries;
}

dsl::Graph load_graph(const std::string& source) {
  if (source.starts_with("zoo:")) return zoo_graph(std::string_view(source).substr(4));
  return file_graph(source);
}

}  // namespace halcyon::compiler
