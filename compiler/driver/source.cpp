#include "compiler/driver/source.h"

#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <system_error>

#include "compiler/driver/child_process.h"
#include "compiler/graph/parse.h"
#include "compiler/onnx/as_written.h"
#include "dsl/zoo/zoo.h"
#include "runtime/base/error.h"
#include "runtime/temporary_folder.h"
#include "runtime/weights.h"

namespace halcyon::compiler {

namespace {

/// "28x28x1"
std::optional<dsl::Image> parse_picture(std::string_view text) {
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
  return dsl::Image{.height = numbers[0], .width = numbers[1], .channels = numbers[2]};
}

dsl::Graph zoo_graph(const std::string& text) {
  const std::size_t colon = text.find(':');
  const std::string name = text.substr(0, colon);
  std::string known;
  for (const dsl::zoo::Entry& entry : dsl::zoo::kNetworks) {
    known += (known.empty() ? "" : ", ") + std::string(entry.name);
    if (entry.name != name) continue;
    if (colon == text.npos) return entry.build(entry.picture).graph();
    const std::string shape = text.substr(colon + 1);
    const std::optional<dsl::Image> picture = parse_picture(shape);
    if (!picture) {
      throw UserError("zoo:" + text + ": '" + shape + "' is no picture shape",
                      "write HEIGHTxWIDTHxCHANNELS, as in zoo:" + name + ":28x28x1");
    }
    return entry.build(*picture).graph();
  }
  throw UserError("the zoo has no network '" + name + "'", "it has " + known);
}

/// The folder that holds dsl/ and runtime/base/: installed beside the program, or this source tree.
std::string include_root() {
  if (const char* root = std::getenv("HALCYON_INCLUDE")) return root;
  return HALCYON_SOURCE_DIR;
}

constexpr const char* kSources = "a DSL file (.cpp), a model (.onnx) or zoo:NAME";

void check_source(const std::string& path) {
  const std::string extension = std::filesystem::path(path).extension().string();
  if (extension != ".cpp" && extension != ".cc" && extension != ".cxx") {
    throw UserError(
        "'" + path + "' is no network: its name ends with none of .cpp, .cc, .cxx and .onnx",
        kSources);
  }
  std::error_code ignored;  // a name that is too long, a folder that is closed
  if (!std::filesystem::is_regular_file(path, ignored))
    throw UserError("cannot read network file '" + path + "'", kSources);
}

std::string time_limit_hint(const std::string& question) {
  return question + " --source-timeout SECONDS waits longer";
}

/// Makes the program that prints the network.
void compile_source(const std::string& path, const std::string& program, std::chrono::seconds limit,
                    const HeldSignals& signals) {
  std::vector<std::string> command = tool_words("CXX", "c++");
  const std::string compiler = command[0];
  const bool is_clang = std::any_of(command.begin(), command.end(), [](const std::string& word) {
    return word.find("clang") != word.npos;
  });
  if (is_clang) command.emplace_back("-fconstexpr-steps=100000000");
  const std::string root = include_root();
  command.insert(command.end(), {"-std=c++20", "-O0", "-DHALCYON_GENERATOR", "-I" + root,
                                 "-I" + root + "/dsl/include", path, "-o", program});
  const Finished compiled = run_child(command, limit, signals);
  if (compiled.launch_error != 0) {
    throw SystemError(
        "cannot run the C++ compiler '" + compiler + "': " + std::strerror(compiled.launch_error),
        "install g++ or clang++, or name one in the environment variable CXX");
  }
  if (compiled.timed_out) {
    throw UserError(path + ": the C++ compiler '" + compiler + "' took longer than " +
                        std::to_string(limit.count()) + " s and was stopped",
                    time_limit_hint("is the machine very busy?"));
  }
  if (compiled.status != 0) {
    const bool no_main = compiled.errors.find("undefined reference to `main'") != std::string::npos;
    throw UserError(path + " does not compile:\n" + compiled.errors,
                    no_main ? "a network file ends with HALCYON_NETWORK(function)" : "");
  }
}

/// How a program failed, and what it said.
std::string failure_text(const Finished& failed) {
  std::string text =
      WIFSIGNALED(failed.status)
          ? std::string("was ended by a signal: ") + strsignal(WTERMSIG(failed.status))
          : "ended with status " + std::to_string(WEXITSTATUS(failed.status));
  constexpr std::size_t kMost = 2000;
  if (!failed.errors.empty()) text += "; it said:\n" + failed.errors.substr(0, kMost);
  return text.substr(0, text.find_last_not_of('\n') + 1);
}

/// Text of the program's own would be taken for the network.
void check_begins_as_network(const std::string& path, const std::string& printed) {
  if (printed.starts_with("network ")) return;
  const std::string line = printed.substr(0, std::min(printed.find('\n'), std::size_t{60}));
  throw UserError(
      path + (printed.empty() ? ": the program that describes the network ended without printing it"
                              : " prints " + runtime::quote(line) + " in front of the network"),
      printed.empty() ? "does the function call exit?"
                      : "standard output carries the network: print to standard error instead");
}

/// The network as text.
std::string run_generator(const std::string& path, const std::string& program,
                          std::chrono::seconds limit, const HeldSignals& signals) {
  const Finished printed = run_child({program}, limit, signals);
  if (printed.launch_error != 0) {
    throw SystemError(path + ": cannot run the program that the C++ compiler made of it: " +
                          std::strerror(printed.launch_error),
                      "is CXX a C++ compiler, and may programs run in the folder for temporary "
                      "files, $TMPDIR or /tmp?");
  }
  if (printed.timed_out) {
    throw UserError(path + ": the program that describes the network ran longer than " +
                        std::to_string(limit.count()) + " s and was stopped",
                    time_limit_hint("does a loop of it never end?"));
  }
  if (printed.status != 0) {
    const bool said = printed.errors.starts_with("error: ");
    throw UserError(
        said ? path + ": " + printed.errors.substr(7, printed.errors.find_last_not_of('\n') - 6)
             : path + ": the program that describes the network " + failure_text(printed));
  }
  check_begins_as_network(path, printed.output);
  return printed.output;
}

dsl::Graph file_graph(const std::string& path, std::chrono::seconds limit) {
  check_source(path);
  const HeldSignals signals;  // before the folder: it is gone when a signal ends the program
  const runtime::TemporaryFolder folder;
  const std::string program = folder.file("generator");
  compile_source(path, program, limit, signals);
  return parse_graph(run_generator(path, program, limit, signals), "the text of " + path);
}

}  // namespace

bool is_model_file(const std::string& source) {
  return !source.starts_with("zoo:") && source.ends_with(".onnx");
}

Source load_source(const std::string& name, std::chrono::seconds limit,
                   const ImportOptions& options) {
  if (name.starts_with("zoo:")) return {zoo_graph(name.substr(4))};
  if (!is_model_file(name)) return {file_graph(name, limit)};
  Source source{import_file(name, options)};
  source.weights = take_weights(source.graph);
  source.graph = with_ends_turned(source.graph);
  return source;
}

}  // namespace halcyon::compiler
