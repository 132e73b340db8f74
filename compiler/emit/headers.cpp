#include "compiler/emit/headers.h"

#include <fmt/format.h>

#include <cctype>
#include <nlohmann/json.hpp>
#include <set>

#include "compiler/emit/abi_text.h"
#include "compiler/emit/library_name.h"

namespace halcyon::compiler {

namespace {

std::string upper(const std::string& text) {
  std::string result = text;
  for (char& c : result) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return result;
}

std::string extents_text(const HostValue& v) {
  std::string text = "N";
  for (int64_t e : v.extents) text += " x " + std::to_string(e);
  return text;
}

/// A name of the network's as it may stand in a C comment.
std::string comment_text(std::string text) {
  for (std::size_t at = text.find("*/"); at != text.npos; at = text.find("*/")) text[at + 1] = '|';
  for (std::size_t at = text.find("/*"); at != text.npos; at = text.find("/*")) text[at] = '|';
  return text;
}

/// A C++ identifier that resembles `name` and differs from those in `taken`, which it joins.
std::string identifier_of(const std::string& name, std::set<std::string>& taken) {
  std::string word;
  for (char c : name) word += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  // Two underscores in a row, or one in front, are the compiler's.
  for (std::size_t at = word.find("__"); at != word.npos; at = word.find("__")) word.erase(at, 1);
  if (word[0] == '_') word.erase(0, 1);
  if (word.empty() || std::isdigit(static_cast<unsigned char>(word[0])) != 0)
    word = "value_" + word;
  if (is_cpp_keyword(word)) word += "_value";
  std::string free = word;
  for (int number = 2; !taken.insert(free).second; ++number)
    free = fmt::format("{}_{}", word, number);
  return free;
}

/// " * inputs[0]  image   float   N x 32 x 32 x 3 (HWC)"
std::string table_of(const char* list, const std::vector<HostValue>& values) {
  std::string text;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const HostValue& v = values[i];
    text += fmt::format(" *   {}[{}]  {:<12} {:<8} {}{}{}\n", list, i, comment_text(v.name),
                        v.dtype == DType::i32 ? "int32_t" : "float", extents_text(v),
                        v.axes.empty() ? "" : " (" + v.axes + ")",
                        v.classes > 0 ? fmt::format(" in [0, {})", v.classes) : "");
  }
  return text;
}

nlohmann::json json_of(const std::vector<HostValue>& values) {
  nlohmann::json list = nlohmann::json::array();
  for (const HostValue& v : values) {
    nlohmann::json entry = {{"name", v.name},
                            {"dtype", v.dtype == DType::i32 ? "i32" : "f32"},
                            {"shape", v.extents},
                            {"axes", v.axes}};
    if (v.classes > 0) entry["classes"] = v.classes;
    list.push_back(entry);
  }
  return list;
}

}  // namespace

std::string c_header(const Interface& interface) {
  const std::string& name = interface.name;
  const bool training = interface.optimizer != HALCYON_NO_OPTIMIZER;
  std::string text = fmt::format("/* {}: made by halcyon for {}.\n *\n", name, interface.target);
  text += table_of("inputs", interface.inputs) + table_of("targets", interface.targets) +
          table_of("outputs", interface.outputs);
  text += fmt::format(
      " *\n"
      " *   halcyon_context context = {{memory, {0}_workspace_bytes(batch, 1), NULL, NULL, 1}};\n"
      " *   {0}_prepare(&context, parameters);  // when parameters were packed or trained\n"
      " *   {0}_infer(&context, batch, parameters, inputs, outputs);\n"
      " *\n"
      " * Memory blocks are aligned to HALCYON_ALIGNMENT bytes. The parameter block has "
      "{1}_PARAMETER_BYTES bytes and is\n"
      " * filled by {0}_pack, parameter by parameter. */\n",
      name, upper(name));
  // Names may differ in capitals only: the guard keeps them apart, and the macros cannot.
  text += fmt::format("#ifndef HALCYON_NETWORK_{0}_H\n#define HALCYON_NETWORK_{0}_H\n\n", name);
  text += fmt::format(
      "#ifdef {0}_PARAMETER_BYTES\n"
      "#error \"{1}.h: another network's macros are called {0}_, too: rename one of the two\"\n"
      "#endif\n\n",
      upper(name), name);
  text += kAbiText;
  text += fmt::format("\n#ifdef __cplusplus\nextern \"C\" {{\n#endif\n\n");
  text += fmt::format("#define {}_PARAMETER_BYTES {}\n", upper(name),
                      interface.parameter_bytes + interface.prepared_bytes);
  text += fmt::format("#define {}_PARAMETER_COUNT {}\n", upper(name), interface.parameters.size());
  if (training)
    text += fmt::format("#define {}_STATE_BYTES {}\n", upper(name), interface.state_bytes);
  for (std::size_t i = 0; i < interface.parameters.size(); ++i) {
    const HostParameter& p = interface.parameters[i];
    text += fmt::format("/* parameter {}: {} {} */\n", i, comment_text(p.name),
                        halcyon::to_string(p.shape));
  }
  text += fmt::format(R"(
const halcyon_network *{0}_network(void);
uint64_t {0}_workspace_bytes(int64_t batch, int32_t workers);
halcyon_status {0}_prepare(const halcyon_context *context, void *parameters);
halcyon_status {0}_infer(const halcyon_context *context, int64_t batch, const void *parameters,
                         const void *const *inputs, void *const *outputs);
void {0}_pack(int32_t parameter, const float *canonical, void *parameters);
void {0}_unpack(int32_t parameter, const void *parameters, float *canonical);
)",
                      name);
  if (training) {
    text += fmt::format(R"(uint64_t {0}_train_workspace_bytes(int64_t batch, int32_t workers);
halcyon_status {0}_train_step(const halcyon_context *context, int64_t batch, void *parameters, void *state,
                              const void *const *inputs, const void *const *targets,
                              const halcyon_hyper *hyper, float *losses, void *const *outputs);
)",
                        name);
  }
  return text + "\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n";
}

std::string cpp_header(const Interface& interface) {
  const std::string& name = interface.name;
  std::string text = fmt::format(
      "#pragma once\n/// {0} for C++: the shapes as constants, and the table that "
      "halcyon::runtime::Network takes.\n"
      "///\n///     halcyon::runtime::Network network({0}::info());\n\n#include "
      "<cstdint>\n\n#include \"{0}.h\"\n\n"
      "/// No namespace: a struct may have the name of a function, too.\n"
      "struct {0} {{\n  {0}() = delete;\n"
      "  static const ::halcyon_network& info() {{ return *::{0}_network(); }}\n",
      name);
  std::set<std::string> taken = {"info", "int64_t", name};
  const auto constants = [&](const char* kind, const std::vector<HostValue>& list) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      const HostValue& v = list[i];
      text +=
          fmt::format("\n  /// {} {} {}\n  struct {} {{\n    static constexpr int kIndex = {};\n",
                      kind, comment_text(v.name), v.axes, identifier_of(v.name, taken), i);
      const auto constant = [&](const char* letter, int64_t value) {
        text += fmt::format("    static constexpr int64_t {} = {};\n", letter, value);
      };
      for (std::size_t a = 0; a < v.extents.size(); ++a) {
        constant(v.axes[a] == 'C'   ? "kChannels"
                 : v.axes[a] == 'H' ? "kHeight"
                 : v.axes[a] == 'W' ? "kWidth"
                                    : "kDepth",
                 v.extents[a]);
      }
      if (v.classes > 0) constant("kClasses", v.classes);
      constant("kElements", v.elements);
      text += "  };\n";
    }
  };
  constants("input", interface.inputs);
  constants("output", interface.outputs);
  constants("target", interface.targets);
  return text + "};\n";
}

std::string manifest(const Interface& interface, const LibraryFacts& facts) {
  nlohmann::json json = {{"name", interface.name},
                         {"abi_version", HALCYON_ABI_VERSION},
                         {"target", interface.target},
                         {"inputs", json_of(interface.inputs)},
                         {"outputs", json_of(interface.outputs)},
                         {"parameter_bytes", interface.parameter_bytes + interface.prepared_bytes},
                         {"packed_bytes", interface.parameter_bytes},
                         {"workspace_bytes", facts.workspace_bytes_batch1},
                         {"multiply_adds", facts.macs},
                         {"kernels", facts.kernels}};
  nlohmann::json parameters = nlohmann::json::array();
  int64_t count = 0;
  for (const HostParameter& p : interface.parameters) {
    std::vector<int64_t> shape;
    for (int axis = 0; axis < p.shape.rank; ++axis) shape.push_back(p.shape[axis]);
    parameters.push_back(
        {{"name", p.name}, {"shape", shape}, {"trainable", p.definition.trainable}});
    count += p.shape.elements();
  }
  json["parameters"] = parameters;
  json["parameter_count"] = count;
  if (interface.optimizer != HALCYON_NO_OPTIMIZER) {
    constexpr const char* kNames[] = {"", "sgd", "momentum", "rmsprop", "adam"};
    json["training"] = {{"optimizer", kNames[interface.optimizer]},
                        {"targets", json_of(interface.targets)},
                        {"losses", interface.losses},
                        {"state_bytes", interface.state_bytes},
                        {"workspace_bytes", facts.train_workspace_bytes_batch1},
                        {"kernels", facts.train_kernels}};
  }
  return json.dump(2) + "\n";
}

}  // namespace halcyon::compiler
