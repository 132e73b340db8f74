#include "compiler/driver/link.h"

#include <cstring>
#include <vector>

#include "compiler/driver/child_process.h"
#include "compiler/driver/program_parts.h"
#include "compiler/target.h"
#include "runtime/base/error.h"
#include "runtime/file.h"
#include "runtime/temporary_folder.h"

namespace halcyon::compiler {

namespace {

namespace fs = std::filesystem;

/// The folder in which a link happens. Signals are held before there is a folder: it is gone when
/// one ends the program.
class Linkage {
 public:
  Linkage(const Artifact& artifact, std::chrono::seconds limit)
      : limit_(limit), target_(artifact.interface.target) {
    add_options({"-Wl,--whole-archive"});
    add_file("network.a", library_archive(artifact));
    add_options({"-Wl,--no-whole-archive"});
  }

  void add_file(const std::string& name, std::span<const std::byte> bytes) {
    words_.push_back(folder_.file(name));
    runtime::write_file_atomically(words_.back(), bytes);
  }
  void add_options(const std::vector<std::string>& options) {
    words_.insert(words_.end(), options.begin(), options.end());
  }

  /// Links, and puts the result in its place.
  void write(const fs::path& path) {
    const std::string name = path.filename().string();
    const std::string result = folder_.file("result/" + name);
    fs::create_directory(folder_.file("result"));
    std::vector<std::string> command = tool_words("CC", "cc");
    const std::string compiler = command[0];
    command.insert(command.end(), {"-o", result});
    command.insert(command.end(), words_.begin(), words_.end());
    const Finished linked = run_child(command, limit_, signals_);
    if (linked.launch_error != 0) {
      throw SystemError(
          "cannot run the C compiler '" + compiler + "': " + std::strerror(linked.launch_error),
          "install gcc or clang, or name one in the environment variable CC; --emit static needs "
          "none");
    }
    if (linked.timed_out) {
      throw UserError("the C compiler '" + compiler + "' took longer than " +
                          std::to_string(limit_.count()) + " s to link " + name +
                          " and was stopped",
                      "--source-timeout SECONDS waits longer");
    }
    if (linked.status != 0) {
      throw UserError("the C compiler '" + compiler + "' cannot link " + name + " for " + target_ +
                          ":\n" + linked.errors,
                      "the environment variable CC must name a compiler for that machine");
    }
    std::error_code error;
    if (!fs::exists(result, error)) {
      throw UserError("the C compiler '" + compiler + "' said nothing, but did not make " + name,
                      "is the environment variable CC the name of a compiler?");
    }
    runtime::write_file_atomically(path.string(), runtime::read_file(result));
    fs::permissions(path, fs::status(result).permissions(), error);
    if (error) {
      throw SystemError("cannot make '" + path.string() + "' executable: " + error.message());
    }
  }

 private:
  const HeldSignals signals_;
  const runtime::TemporaryFolder folder_;
  const std::chrono::seconds limit_;
  const std::string target_;
  std::vector<std::string> words_;
};

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

}  // namespace

void write_shared_library(const Artifact& artifact, const fs::path& folder,
                          std::chrono::seconds limit) {
  const std::string file = "lib" + artifact.interface.name + ".so";
  Linkage linkage(artifact, limit);
  linkage.add_options({"-shared", "-Wl,-soname," + file, "-Wl,--no-undefined", "-lm"});
  make_folder(folder);
  linkage.write(folder / file);
  write_headers(artifact, folder);
}

void write_program(const Artifact& artifact, const fs::path& folder, std::chrono::seconds limit) {
  const std::string& name = artifact.interface.name;
  if (parse_target(artifact.interface.target).triple != parse_target("host").triple) {
    throw UserError("no program can be made for " + artifact.interface.target +
                        ": what every program shares is there for this machine, which is " +
                        parse_target("host").features,
                    "--emit static and --emit shared make libraries for other machines");
  }
  Linkage linkage(artifact, limit);
  linkage.add_file(
      "main.c", bytes_of("struct halcyon_network;\n"
                         "const struct halcyon_network *" +
                         name +
                         "_network(void);\n"
                         "int halcyon_program_main(const struct halcyon_network *, int, char **);\n"
                         "int main(int count, char **words) {\n"
                         "  return halcyon_program_main(" +
                         name +
                         "_network(), count, words);\n"
                         "}\n"));
  for (const ProgramPart& part : program_parts())
    linkage.add_file(std::string(part.name), part.bytes);
  linkage.add_options(program_link_options());
  make_folder(folder);
  linkage.write(folder / name);
}

}  // namespace halcyon::compiler
