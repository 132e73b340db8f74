#include "tests/structure/include_arrows.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <string_view>

namespace halcyon::structure {
namespace {

namespace fs = std::filesystem;

// A part of the tree. A file belongs to the area with the longest folder that it lies in.
struct Area {
  std::string_view folder;
  std::vector<std::string_view> uses;       // folders whose headers it may include
  std::vector<std::string_view> never;      // of those, the folders it may not
  std::vector<std::string_view> libraries;  // beyond standard C and C++
  bool may_reach_halide = false;            // also through headers of other areas
};

// clang-format off
const std::vector<Area> kAreas = {
    {"runtime/base",       {"runtime/base"}, {}, {}},
    {"runtime",            {"runtime"}, {"runtime/data", "runtime/program"}, {"posix", "xxhash", "nlohmann"}},
    {"runtime/data",       {"runtime"}, {"runtime/program"}, {"posix", "zlib", "png", "jpeg"}},
    {"runtime/program",    {"runtime"}, {}, {"cli", "nlohmann"}},
    {"dsl",                {"dsl", "runtime/base"}, {}, {}},
    {"compiler",           {"compiler", "dsl", "runtime"}, {"compiler/driver", "runtime/data", "runtime/program"},
                           {"posix", "fmt", "halide", "nlohmann", "xxhash"}, true},
    {"compiler/graph",     {"compiler", "dsl", "runtime/base"}, {"compiler/driver"}, {"fmt"}},
    {"compiler/passes",    {"compiler", "dsl", "runtime/base"}, {"compiler/driver"}, {"fmt"}},
    {"compiler/reference", {"compiler", "dsl", "runtime/base"}, {"compiler/driver"}, {"fmt"}},
    {"compiler/emit",      {"compiler", "dsl", "runtime"}, {"compiler/driver", "runtime/data", "runtime/program"},
                           {"posix", "fmt", "halide", "llvm", "nlohmann", "xxhash"}, true},
    {"compiler/machine",   {"compiler/machine"}, {}, {"posix", "x86"}},
    {"compiler/onnx",      {"compiler", "dsl", "runtime"}, {"compiler/driver", "runtime/data", "runtime/program"}, {"protobuf"}},
    {"compiler/driver",    {"compiler", "dsl", "runtime"}, {},
                           {"posix", "cli", "fmt", "halide", "llvm", "nlohmann", "xxhash"}, true},
};

// How the headers of a library begin, or their whole name.
const std::vector<std::pair<std::string_view, std::string_view>> kLibraries = {
    {"CLI/", "cli"},
    {"Halide", "halide"},    {"halide14/", "halide"},
    {"fmt/", "fmt"},
    {"llvm/", "llvm"},       {"llvm-c/", "llvm"},
    {"google/protobuf/", "protobuf"},
    {"nlohmann/", "nlohmann"},
    {"jpeglib.h", "jpeg"},
    {"png.h", "png"},
    {"xxhash.h", "xxhash"},
    {"zlib.h", "zlib"},
    {"dlfcn.h", "posix"},    {"fcntl.h", "posix"},   {"poll.h", "posix"},    {"pthread.h", "posix"},
    {"sched.h", "posix"},    {"signal.h", "posix"},  {"spawn.h", "posix"},   {"sys/", "posix"},
    {"time.h", "posix"},     {"unistd.h", "posix"},
    {"immintrin.h", "x86"},
};

const std::set<std::string_view> kStandardC = {"assert.h", "float.h",  "limits.h", "math.h",   "stddef.h",
                                               "stdint.h", "stdio.h",  "stdlib.h", "string.h", "errno.h"};
// clang-format on

// The only header that may include Halide's: it is the one that is precompiled.
constexpr std::string_view kHalideHeader = "compiler/lower/halide.h";

struct Include {
  int line = 0;
  std::string name;
  bool quoted = false;
};
using Tree = std::map<std::string, std::vector<Include>>;  // file from the root -> its includes

bool lies_in(std::string_view file, std::string_view folder) {
  return file.starts_with(folder) && file.substr(folder.size()).starts_with('/');
}

bool is_header(std::string_view file) { return file.ends_with(".h") || file.ends_with(".hpp"); }

const Area* area_of(std::string_view file) {
  const Area* found = nullptr;
  for (const Area& area : kAreas) {
    if (lies_in(file, area.folder) && (!found || area.folder.size() > found->folder.size())) {
      found = &area;
    }
  }
  return found;
}

// "standard", the name of a library, or nothing for a header that nobody knows.
std::optional<std::string_view> library_of(std::string_view header) {
  for (const auto& [prefix, library] : kLibraries) {
    if (header.starts_with(prefix)) return library;
  }
  const bool standard = header.find_first_of("./") == header.npos || kStandardC.contains(header);
  return standard ? std::optional<std::string_view>("standard") : std::nullopt;
}

std::vector<Include> read_includes(const fs::path& path) {
  static const std::regex kLine(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"].*)");
  std::vector<Include> includes;
  std::ifstream file(path);
  std::string text;
  for (int line = 1; std::getline(file, text); ++line) {
    std::smatch match;
    if (std::regex_match(text, match, kLine))
      includes.push_back({line, match[2], match[1] == "\""});
  }
  return includes;
}

Tree read_tree(const fs::path& root) {
  static const std::set<std::string> kEndings = {".h", ".hpp", ".c", ".cpp"};
  Tree tree;
  for (const char* folder : {"runtime", "dsl", "compiler"}) {
    if (!fs::exists(root / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      if (entry.is_regular_file() && kEndings.contains(entry.path().extension().string())) {
        tree[entry.path().lexically_relative(root).generic_string()] = read_includes(entry.path());
      }
    }
  }
  return tree;
}

// What is wrong with one line taken by itself; empty if nothing is.
std::string judge(const std::string& file, const Area& area, const Include& include) {
  const auto must_not_use = [&](std::string_view what) {
    return "but " + std::string(area.folder) + " must not use " + std::string(what);
  };
  if (include.quoted) {
    const Area* target = area_of(include.name);
    if (!target) return "which is not spelt from the root of the tree";
    const auto holds = [&](std::string_view folder) { return lies_in(include.name, folder); };
    const bool allowed =
        std::ranges::any_of(area.uses, holds) && std::ranges::none_of(area.never, holds);
    return allowed ? "" : must_not_use(target->folder);
  }
  const auto library = library_of(include.name);
  if (!library) return "which is of no known library";
  if (*library == "halide" && is_header(file) && file != kHalideHeader) {
    return "but of all headers only " + std::string(kHalideHeader) + " may";
  }
  if (*library == "nlohmann" && is_header(file) && lies_in(file, "runtime")) {
    return "but in runtime only sources may";
  }
  const bool allowed = *library == "standard" || std::ranges::count(area.libraries, *library) > 0;
  return allowed ? "" : must_not_use(*library);
}

// The way from `file` to a header of Halide, "a.h -> b.h -> Halide.h"; empty if there is none.
std::string way_to_halide(const Tree& tree, const std::string& file, std::set<std::string>& seen) {
  const auto entry = tree.find(file);
  if (entry == tree.end() || !seen.insert(file).second) return {};
  for (const Include& include : entry->second) {
    if (!include.quoted && library_of(include.name) == "halide")
      return file + " -> " + include.name;
    const std::string way = include.quoted ? way_to_halide(tree, include.name, seen) : "";
    if (!way.empty()) return file + " -> " + way;
  }
  return {};
}

std::string quote(const Include& include) {
  return include.quoted ? '"' + include.name + '"' : '<' + include.name + '>';
}

}  // namespace

std::string to_text(const Finding& finding) {
  return finding.file + ":" + std::to_string(finding.line) + ": " + finding.text;
}

int64_t count_checked_files(const fs::path& root) {
  return static_cast<int64_t>(read_tree(root).size());
}

std::vector<Finding> find_forbidden_includes(const fs::path& root) {
  const Tree tree = read_tree(root);
  std::vector<Finding> findings;
  for (const auto& [file, includes] : tree) {
    const Area& area = *area_of(file);  // read_tree looks only into areas
    for (const Include& include : includes) {
      const std::string mistake = judge(file, area, include);
      if (!mistake.empty()) {
        findings.push_back({file, include.line, "includes " + quote(include) + ", " + mistake});
        continue;
      }
      std::set<std::string> seen;
      const std::string way = include.quoted ? way_to_halide(tree, include.name, seen) : "";
      if (!way.empty() && !area.may_reach_halide) {
        findings.push_back(
            {file, include.line, std::string(area.folder) + " must not reach Halide: " + way});
      }
    }
  }
  return findings;
}

}  // namespace halcyon::structure
