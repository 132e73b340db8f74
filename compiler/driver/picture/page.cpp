#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "compiler/driver/number_text.h"
#include "compiler/driver/picture/draw_graph.h"
#include "compiler/driver/picture/escape.h"
#include "compiler/driver/picture/page_script.h"
#include "compiler/driver/picture/page_style.h"
#include "compiler/driver/picture/picture.h"

namespace halcyon::compiler {

namespace {

using Json = nlohmann::json;

Json facts_json(const std::vector<Fact>& facts) {
  Json list = Json::array();
  for (const Fact& fact : facts) list.push_back({fact.name, fact.value});
  return list;
}

Json diagram_json(const Diagram& diagram) {
  Json boxes = Json::array(), edges = Json::array(), groups = Json::array();
  for (const Box& box : diagram.boxes) {
    boxes.push_back({{"name", printable(box.name)},
                     {"brief", box.brief},
                     {"kind", to_string(box.kind)},
                     {"group", box.group},
                     {"dropped", box.training_only},
                     {"facts", facts_json(box.facts)}});
  }
  for (const Edge& edge : diagram.edges)
    edges.push_back({edge.from, edge.to, edge.shape, edge.layout});
  for (const Group& group : diagram.groups)
    groups.push_back(
        {{"name", group.name}, {"boxes", group.boxes}, {"facts", facts_json(group.facts)}});
  return {{"boxes", boxes}, {"edges", edges}, {"groups", groups}};
}

Json memory_json(const MemoryMap& map) {
  Json blocks = Json::array();
  for (const MemoryBlock& block : map.blocks) {
    const std::string when =
        block.first_step == block.last_step
            ? fmt::format("kernel {}", block.first_step + 1)
            : fmt::format("kernels {} to {}", block.first_step + 1, block.last_step + 1);
    const std::vector<Fact> facts = {{"size", grouped(block.size_bytes) + " bytes"},
                                     {"offset", grouped(block.offset_bytes)},
                                     {"alive", when}};
    blocks.push_back({{"name", printable(block.name)},
                      {"kind", to_string(block.kind)},
                      {"facts", facts_json(facts)}});
  }
  return blocks;
}

/// What the script shows of boxes and values, by the prefix of their identifiers.
std::string data_script(const Picture& picture) {
  Json data = {{"graphs", Json::object()}, {"memory", Json::object()}};
  for (const View& view : picture.views) data["graphs"][view.name] = diagram_json(view.diagram);
  data["memory"]["memory"] = memory_json(picture.per_sample);
  data["memory"]["fixed"] = memory_json(picture.fixed);
  // Names of files may be anything.
  const std::string text = data.dump(-1, ' ', false, Json::error_handler_t::replace);
  return "<script type=\"application/json\" id=\"data\">" + json_in_script(text) + "</script>\n";
}

std::string tile(const std::string& number, const std::string& what, const std::string& more = "") {
  return fmt::format("<div class=\"tile\"><b>{}</b><span>{}</span>{}</div>\n", number, what,
                     more.empty() ? "" : "<small>" + more + "</small>");
}

std::string header(const Picture& picture) {
  const Summary& s = picture.summary;
  std::string text = fmt::format("<header><h1>{}</h1>\n<div class=\"tiles\">\n", html(s.network));
  text += tile(grouped(s.parameters), "parameters", kilobytes(s.parameter_bytes) + " kB packed");
  text += tile(grouped(s.macs), "multiply-adds", "per sample");
  std::string bound =
      fmt::format("largest live set {} kB", kilobytes(s.per_sample_lower_bound_bytes));
  if (s.fixed_bytes > 0)
    bound += fmt::format("; {} kB more for any batch", kilobytes(s.fixed_bytes));
  text += tile(kilobytes(s.per_sample_bytes) + " kB", "workspace per sample", bound);
  text += tile(grouped(static_cast<int64_t>(s.layers.size())), "layers",
               picture.train ? "of inference" : "");
  text += tile(grouped(static_cast<int64_t>(s.regions.size())), "kernels",
               picture.train ? "in a training step" : "each one loop nest");
  text += "</div>\n<nav>";
  for (const View& view : picture.views)
    text += fmt::format("<a href=\"#section-{}\">{}</a>", view.name, view.title);
  return text +
         "<a href=\"#section-memory\">memory</a><a href=\"#section-layers\">layers</a>"
         "<a href=\"#section-kernels\">kernels</a>"
         "<label class=\"search\">find <input type=\"search\" id=\"search\" autocomplete=\"off\" "
         "spellcheck=\"false\"></label><output id=\"found\"></output></nav></header>\n";
}

std::string legend() {
  std::string text = "<p class=\"legend\">";
  for (const Kind kind : {Kind::source, Kind::convolution, Kind::dense, Kind::pooling,
                          Kind::normalisation, Kind::pointwise, Kind::movement, Kind::gradient})
    text += fmt::format("<span class=\"{0}\"><i></i>{0}</span>", to_string(kind));
  return text + "</p>\n";
}

std::string view_section(const View& view) {
  const bool dropped = std::any_of(view.diagram.boxes.begin(), view.diagram.boxes.end(),
                                   [](const Box& box) { return box.training_only; });
  std::string title = view.title;
  title[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(title[0])));
  std::string text = fmt::format("<section id=\"section-{}\">\n<h2>{}</h2>\n", view.name, title);
  text += view.diagram.groups.empty()
              ? fmt::format("<p>{} nodes.{}</p>\n", view.diagram.boxes.size(),
                            dropped ? " Dashed: needed for training only." : "")
              : fmt::format(
                    "<p>{} nodes in {} kernels: what stands in one frame is one loop nest, and "
                    "only what leaves it is stored.</p>\n",
                    view.diagram.boxes.size(), view.diagram.groups.size());
  text +=
      "<div class=\"zoom\" hidden><button data-zoom=\"out\" aria-label=\"smaller\">−</button>"
      "<button data-zoom=\"in\" aria-label=\"larger\">+</button>"
      "<button data-zoom=\"full\">100 %</button><button data-zoom=\"fit\">whole</button></div>\n";
  return text + "<div class=\"pane\">\n" + graph_svg(view.diagram, view.name) +
         "</div>\n</section>\n";
}

std::string memory_section(const Picture& picture) {
  std::string text = "<section id=\"section-memory\">\n<h2>Memory</h2>\n";
  const MemoryMap& map = picture.per_sample;
  if (map.blocks.empty()) {
    text += "<p>Nothing is stored between kernels.</p>\n";
  } else {
    text += fmt::format(
        "<p>The workspace of one sample: {} values, each from the kernel that writes it to the "
        "last "
        "that reads it. A batch of N takes N times as much.</p>\n<div class=\"pane\">\n{}</div>\n",
        map.blocks.size(), memory_svg(map, "memory"));
  }
  if (!picture.fixed.blocks.empty()) {
    text += fmt::format(
        "<p>The part that is the same for every batch: {} values{}.</p>\n<div "
        "class=\"pane\">\n{}</div>\n",
        picture.fixed.blocks.size(),
        picture.train ? ", most of them gradients of parameters" : " made of parameters alone",
        memory_svg(picture.fixed, "fixed"));
  }
  return text + "</section>\n";
}

/// A cell with a bar behind its number.
std::string bar(int64_t number, int64_t most) {
  if (number == 0) return "<td></td>";
  const double share =
      100 * static_cast<double>(number) / static_cast<double>(std::max<int64_t>(most, 1));
  return fmt::format("<td class=\"bar\" style=\"--share:{:.1f}%\">{}</td>", share, grouped(number));
}

template <class List, class Number>
int64_t largest(const List& list, Number number) {
  int64_t most = 0;
  for (const auto& item : list) most = std::max(most, item.*number);
  return most;
}

std::string layers_section(const Summary& s) {
  std::string text =
      "<section id=\"section-layers\">\n<h2>Layers</h2>\n<table>\n<thead><tr><th>layer</th>"
      "<th>operator</th><th>shape</th><th>kB</th><th>parameters</th><th>multiply-adds</th></tr>"
      "</thead>\n<tbody>\n";
  const int64_t parameters = largest(s.layers, &LayerFacts::parameters);
  const int64_t macs = largest(s.layers, &LayerFacts::macs);
  for (const LayerFacts& layer : s.layers) {
    text += fmt::format(
        "<tr data-name=\"{0}\"><td>{0}</td><td>{1}</td><td>{2}</td><td>{3}</td>{4}{5}</tr>\n",
        html(layer.name), html(layer.op), halcyon::to_string(layer.shape),
        kilobytes(4 * layer.elements), bar(layer.parameters, parameters), bar(layer.macs, macs));
  }
  return text + fmt::format(
                    "</tbody>\n<tfoot><tr><td>total</td><td></td><td></td><td></td><td>{}</td>"
                    "<td>{}</td></tr></tfoot>\n</table>\n</section>\n",
                    grouped(s.parameters), grouped(s.macs));
}

std::string kernels_section(const Summary& s) {
  std::string text =
      "<section id=\"section-kernels\">\n<h2>Kernels</h2>\n<table>\n<thead><tr><th>number</th>"
      "<th>nodes</th><th>writes</th><th>multiply-adds</th></tr></thead>\n<tbody>\n";
  const int64_t macs = largest(s.regions, &RegionFacts::macs);
  for (std::size_t r = 0; r < s.regions.size(); ++r) {
    const RegionFacts& region = s.regions[r];
    text += fmt::format("<tr data-kernel=\"{}\"><td>{}</td><td>{}</td><td>{}</td>{}</tr>\n", r,
                        r + 1, html(fmt::format("{}", fmt::join(region.nodes, " + "))),
                        html(fmt::format("{}", fmt::join(region.outputs, "; "))),
                        bar(region.macs, macs));
  }
  return text + "</tbody>\n</table>\n</section>\n";
}

}  // namespace

std::string page_text(const Picture& picture) {
  std::string page =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
      "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n";
  page += fmt::format("<title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n",
                      html(picture.summary.network), kPageStyle);
  page += header(picture) + "<main>\n" + legend();
  for (const View& view : picture.views) page += view_section(view);
  page += memory_section(picture) + layers_section(picture.summary) +
          kernels_section(picture.summary) + "</main>\n";
  page +=
      "<aside id=\"inspector\" aria-live=\"polite\" hidden></aside>\n"
      "<div id=\"tip\" role=\"tooltip\" hidden></div>\n";
  return page + data_script(picture) + "<script>\n" + kPageScript + "</script>\n</body>\n</html>\n";
}

}  // namespace halcyon::compiler
