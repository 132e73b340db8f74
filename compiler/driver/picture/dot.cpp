#include "compiler/driver/picture/dot.h"

#include <fmt/format.h>

#include "compiler/driver/picture/describe.h"
#include "compiler/driver/picture/escape.h"

namespace halcyon::compiler {

namespace {

const char* fill_of(Kind kind) {
  switch (kind) {
    case Kind::source: return "#eef1f5";
    case Kind::convolution: return "#d3e4f8";
    case Kind::dense: return "#e0dafa";
    case Kind::pooling: return "#cfeee1";
    case Kind::normalisation: return "#f9e7c0";
    case Kind::pointwise: return "#fbdcd0";
    case Kind::movement: return "#e4e4e0";
    case Kind::gradient: return "#f8d5e3";
    case Kind::other: return "#ffffff";
  }
  return "";
}

std::string facts_text(const std::vector<Fact>& facts) {
  std::string text;
  for (const Fact& fact : facts) text += (text.empty() ? "" : "\n") + fact.name + ": " + fact.value;
  return text;
}

void write_box(const View& view, std::size_t number, const std::string& indent, std::string& out) {
  const Box& box = view.diagram.boxes[number];
  out += fmt::format("{}{}{} [label={} fillcolor=\"{}\"{} tooltip={}]\n", indent, view.name, number,
                     dot_quoted(box.name + "\n" + box.brief), fill_of(box.kind),
                     box.training_only ? " style=\"rounded,filled,dashed\"" : "",
                     dot_quoted(facts_text(box.facts)));
}

void write_view(const View& view, std::string& out) {
  out += fmt::format("  subgraph cluster_{} {{\n    label={} color=none\n", view.name,
                     dot_quoted(view.title));
  const Diagram& diagram = view.diagram;
  for (std::size_t i = 0; i < diagram.boxes.size(); ++i) {
    if (diagram.boxes[i].group < 0) write_box(view, i, "    ", out);
  }
  for (std::size_t g = 0; g < diagram.groups.size(); ++g) {
    const Group& group = diagram.groups[g];
    out += fmt::format(
        "    subgraph cluster_{}_{} {{\n      label={} color=\"#b8c0cc\" bgcolor=\"#f4f6f9\" "
        "fontsize=10 labeljust=l tooltip={}\n",
        view.name, g + 1, dot_quoted(group.name), dot_quoted(facts_text(group.facts)));
    for (const int box : group.boxes) write_box(view, static_cast<std::size_t>(box), "      ", out);
    out += "    }\n";
  }
  for (const Edge& edge : diagram.edges) {
    const std::string label = edge.shape + (edge.layout.empty() ? "" : "\n" + edge.layout);
    out += fmt::format("    {0}{1} -> {0}{2} [label={3}]\n", view.name, edge.from, edge.to,
                       dot_quoted(label));
  }
  out += "  }\n";
}

}  // namespace

std::string dot_text(const std::string& network, const std::vector<View>& views) {
  std::string out = fmt::format("digraph {} {{\n", dot_quoted(network));
  out +=
      R"(  fontname="Helvetica" style="rounded" color="#8a94a6" fontcolor="#4a5568" nodesep=0.3 ranksep=0.45
  node [shape=box style="rounded,filled" color="#8a94a6" fontname="Helvetica" fontsize=12]
  edge [color="#6b7689" fontname="Helvetica" fontsize=10 fontcolor="#4a5568" arrowsize=0.7]
)";
  for (const View& view : views) write_view(view, out);
  return out + "}\n";
}

}  // namespace halcyon::compiler
