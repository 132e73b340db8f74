#include "runtime/data/digits.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>
#include <string>
#include <vector>

#include "runtime/base/error.h"
#include "runtime/data/digit_shapes.h"
#include "runtime/data/strokes.h"
#include "runtime/random.h"

namespace halcyon::runtime {
namespace {

using Colour = std::array<float, 3>;  // red, green, blue, 0 to 1

constexpr int kCurveSteps = 5;

float uniform(Random& random, double low, double high) {
  return static_cast<float>(random.uniform(low, high));
}
bool chance(Random& random, double probability) { return random.uniform() < probability; }

Colour mix(const Colour& a, const Colour& b, float t) {
  return {a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t};
}

/// A colour of a given lightness: grey pulled apart by hues that leave the luminance as it is.
Colour colour_of_lightness(Random& random, float lightness) {
  const float strength = uniform(random, 0, 0.35);
  const float r = uniform(random, -1, 1), b = uniform(random, -1, 1);
  const float g = -(0.299f * r + 0.114f * b) / 0.587f;
  const auto part = [&](float hue) { return std::clamp(lightness + strength * hue, 0.0f, 1.0f); };
  return {part(r), part(g), part(b)};
}

/// A smooth displacement of the plane: two waves for each axis, about one period over the digit.
struct Elastic {
  struct Wave {
    float kx, ky, phase, amplitude;
  };
  std::array<Wave, 2> x, y;

  Elastic(Random& random, float amplitude) {
    for (auto* axis : {&x, &y})
      for (Wave& wave : *axis) {
        const float angle = uniform(random, 0, 2 * std::numbers::pi);
        const float frequency = uniform(random, 2.5, 7);  // radians over the height of the digit
        wave = {frequency * std::cos(angle), frequency * std::sin(angle),
                uniform(random, 0, 2 * std::numbers::pi), amplitude * uniform(random, 0.3, 1)};
      }
  }

  Point apply(Point p) const {
    const auto shift = [&](const std::array<Wave, 2>& waves) {
      float sum = 0;
      for (const Wave& w : waves) sum += w.amplitude * std::sin(w.kx * p.x + w.ky * p.y + w.phase);
      return sum;
    };
    return {p.x + shift(x), p.y + shift(y)};
  }
};

/// Holds the buffers for pictures of one size, so that drawing many allocates nothing after the
/// first.
class Painter {
 public:
  explicit Painter(const PictureShape& shape)
      : shape_(shape),
        unit_(static_cast<float>(std::min(shape.height, shape.width))),
        canvas_(shape.height, shape.width),
        plane_(static_cast<size_t>(shape.height * shape.width)),
        blurred_(plane_.size()) {}

  int32_t draw(uint64_t seed, int64_t index, std::span<uint8_t> pixels);

 private:
  void lay_ground(Random& random, const Colour& ground, const Colour& ink);
  void add_clutter(Random& random, const Colour& ground, const Colour& ink);
  void write(Random& random, int digit);
  void blend(const Colour& colour, float opacity);
  void blur(float strength);
  void finish(Random& random, std::span<uint8_t> pixels) const;

  PictureShape shape_;
  float unit_;
  StrokeCanvas canvas_;
  std::vector<Colour> plane_, blurred_;
  // The strokes of the digit being written, one after the other; ends_ says where each stops.
  std::vector<Point> through_, points_;
  std::vector<size_t> ends_;
};

/// The digit of picture `index`: a random order of all ten for every ten pictures.
int32_t digit_of(uint64_t seed, int64_t index) {
  std::array<int32_t, 10> order;
  std::iota(order.begin(), order.end(), 0);
  Random random(seed, stream_of("digits/label") + static_cast<uint64_t>(index / 10));
  random.shuffle(std::span<int32_t>(order));
  return order[static_cast<size_t>(index % 10)];
}

int32_t Painter::draw(uint64_t seed, int64_t index, std::span<uint8_t> pixels) {
  const int32_t digit = digit_of(seed, index);
  Random random(seed, stream_of("digits/picture") + static_cast<uint64_t>(index));

  // Ink and ground differ by at least 0.35 in lightness, either way round.
  const float contrast = uniform(random, 0.35, 0.9);
  float light = uniform(random, contrast, 1), dark = light - contrast;
  if (chance(random, 0.5)) std::swap(light, dark);
  const Colour ground = colour_of_lightness(random, light), ink = colour_of_lightness(random, dark);

  lay_ground(random, ground, ink);
  add_clutter(random, ground, ink);
  canvas_.clear();
  write(random, digit);
  blend(ink, uniform(random, 0.9, 1));
  if (chance(random, 0.4)) blur(uniform(random, 0.2, 1));
  finish(random, pixels);
  return digit;
}

void Painter::lay_ground(Random& random, const Colour& ground, const Colour& ink) {
  // A gradient across the picture, at most a quarter of the way towards the ink or as far away from
  // it.
  const float angle = uniform(random, 0, 2 * std::numbers::pi), slope = uniform(random, 0, 0.25);
  const float cx = std::cos(angle) / static_cast<float>(shape_.width);
  const float cy = std::sin(angle) / static_cast<float>(shape_.height);
  for (int64_t y = 0, i = 0; y < shape_.height; ++y)
    for (int64_t x = 0; x < shape_.width; ++x, ++i) {
      const float t = cx * (static_cast<float>(x) - 0.5f * static_cast<float>(shape_.width)) +
                      cy * (static_cast<float>(y) - 0.5f * static_cast<float>(shape_.height));
      plane_[static_cast<size_t>(i)] = mix(ground, ink, slope * t);
    }
}

void Painter::add_clutter(Random& random, const Colour& ground, const Colour& ink) {
  const auto anywhere = [&]() -> Point {
    return {uniform(random, -0.1, 1.1) * static_cast<float>(shape_.width),
            uniform(random, -0.1, 1.1) * static_cast<float>(shape_.height)};
  };
  // Scratches and specks, fainter than the ink.
  const uint64_t marks = random.below(4);
  for (uint64_t i = 0; i < marks; ++i) {
    canvas_.clear();
    const Point from = anywhere();
    if (chance(random, 0.5)) {
      const float radius = unit_ * uniform(random, 0.005, 0.025);
      canvas_.draw(from, anywhere(), radius, radius);
    } else {
      const float radius = unit_ * uniform(random, 0.015, 0.06);
      canvas_.draw(from, from, radius, radius);
    }
    const Colour tint = colour_of_lightness(random, uniform(random, 0, 1));
    blend(mix(mix(ground, ink, 0.5f), tint, 0.5f), uniform(random, 0.15, 0.5));
  }
  if (chance(random, 0.15)) {  // ruled paper
    canvas_.clear();
    const float distance = unit_ * uniform(random, 0.18, 0.35),
                tilt = unit_ * uniform(random, -0.04, 0.04);
    const auto width = static_cast<float>(shape_.width), height = static_cast<float>(shape_.height);
    for (float y = uniform(random, 0, 1) * distance; y < height; y += distance)
      canvas_.draw({0, y - tilt}, {width, y + tilt}, unit_ * 0.012f, unit_ * 0.012f);
    blend(ink, uniform(random, 0.15, 0.4));
  }
}

void Painter::write(Random& random, int digit) {
  const std::span<const DigitShape> ways = digit_shapes(digit);
  const DigitShape& way = ways[static_cast<size_t>(random.below(ways.size()))];
  const Elastic elastic(random, uniform(random, 0.005, 0.035));
  const float turn = uniform(random, -0.22, 0.22), slant = uniform(random, -0.25, 0.35);
  const float stretch = uniform(random, 0.75, 1.15);
  const float cosine = std::cos(turn), sine = std::sin(turn);

  points_.clear();
  ends_.clear();
  Point low{1e9f, 1e9f}, high{-1e9f, -1e9f};
  Point end_before{}, end_after{};  // where two strokes meet they still meet after the jitter
  for (const DigitStroke& stroke : way) {
    through_.assign(stroke.points.begin(), stroke.points.end());
    for (Point& p : through_) {
      p.x += uniform(random, -0.03, 0.03);
      p.y += uniform(random, -0.03, 0.03);
    }
    if (!points_.empty() && stroke.points.front() == end_before) through_.front() = end_after;
    if (stroke.points.front() == stroke.points.back()) through_.back() = through_.front();
    end_before = stroke.points.back();
    end_after = through_.back();

    const size_t begin = points_.size();
    if (stroke.curved) {
      append_curve(through_, kCurveSteps, points_);
    } else {
      // Split, so that the elastic wave bends straight strokes too.
      for (size_t i = 0; i + 1 < through_.size(); ++i)
        for (int step = i == 0 ? 0 : 1; step <= kCurveSteps; ++step) {
          const float t = static_cast<float>(step) / kCurveSteps;
          points_.push_back({through_[i].x + t * (through_[i + 1].x - through_[i].x),
                             through_[i].y + t * (through_[i + 1].y - through_[i].y)});
        }
    }
    for (size_t i = begin; i < points_.size(); ++i) {
      const Point bent = elastic.apply(points_[i]);
      const float y = bent.y - 0.5f, x = (bent.x - 0.5f) * stretch - slant * y;
      points_[i] = {cosine * x - sine * y, sine * x + cosine * y};
      low = {std::min(low.x, points_[i].x), std::min(low.y, points_[i].y)};
      high = {std::max(high.x, points_[i].x), std::max(high.y, points_[i].y)};
    }
    ends_.push_back(points_.size());
  }

  // Sized by its larger extent and placed anywhere that it fits, its middle likelier than the
  // border.
  const float size = unit_ * uniform(random, 0.58, 0.88);
  const float scale = size / std::max({high.x - low.x, high.y - low.y, 0.3f});
  const float radius = std::max(0.55f, size * uniform(random, 0.035, 0.085));
  const auto place = [&](float extent, int64_t room) {
    const float slack = std::max(0.0f, 0.5f * (static_cast<float>(room) - extent * scale) - radius);
    return 0.5f * static_cast<float>(room) +
           slack * 0.5f * (uniform(random, -1, 1) + uniform(random, -1, 1));
  };
  const float middle_x = place(high.x - low.x, shape_.width),
              middle_y = place(high.y - low.y, shape_.height);
  for (Point& p : points_)
    p = {middle_x + (p.x - 0.5f * (low.x + high.x)) * scale,
         middle_y + (p.y - 0.5f * (low.y + high.y)) * scale};

  // The pen presses harder in the middle of a stroke.
  const float taper = uniform(random, 0, 0.35);
  size_t begin = 0;
  for (const size_t end : ends_) {
    const auto width_at = [&](size_t i) {
      const float t = static_cast<float>(i - begin) / static_cast<float>(end - 1 - begin);
      return radius * (1 - taper * (2 * t - 1) * (2 * t - 1));
    };
    for (size_t i = begin; i + 1 < end; ++i)
      canvas_.draw(points_[i], points_[i + 1], width_at(i), width_at(i + 1));
    begin = end;
  }
}

void Painter::blend(const Colour& colour, float opacity) {
  const std::span<const float> coverage = canvas_.coverage();
  for (size_t i = 0; i < plane_.size(); ++i)
    if (coverage[i] > 0) plane_[i] = mix(plane_[i], colour, coverage[i] * opacity);
}

void Painter::blur(float strength) {
  // A cross of five pixels; the border repeats.
  const int64_t height = shape_.height, width = shape_.width;
  const float side = 0.2f * strength, centre = 1 - 4 * side;
  for (int64_t y = 0; y < height; ++y) {
    const Colour* row = plane_.data() + y * width;
    const Colour* above = plane_.data() + std::max<int64_t>(y - 1, 0) * width;
    const Colour* below = plane_.data() + std::min(y + 1, height - 1) * width;
    for (int64_t x = 0; x < width; ++x) {
      const Colour &left = row[std::max<int64_t>(x - 1, 0)],
                   &right = row[std::min(x + 1, width - 1)];
      Colour& to = blurred_[static_cast<size_t>(y * width + x)];
      for (size_t c = 0; c < 3; ++c)
        to[c] = centre * row[x][c] + side * (left[c] + right[c] + above[x][c] + below[x][c]);
    }
  }
  plane_.swap(blurred_);
}

void Painter::finish(Random& random, std::span<uint8_t> pixels) const {
  // Noise: the sum of two 16-bit numbers is bell-shaped enough, and 64 random bits serve two
  // values.
  const float deviation = uniform(random, 0, 0.07);
  const float unit =
      deviation * 2.45f / 65536.0f;  // two uniform numbers on [0, 1) deviate by 0.408 together
  uint64_t bits = 0;
  int left = 0;
  const auto noise = [&] {
    if (left == 0) {
      bits = random.bits();
      left = 2;
    }
    const auto sum = static_cast<int32_t>((bits & 0xffff) + (bits >> 16 & 0xffff));
    bits >>= 32;
    --left;
    return static_cast<float>(sum - 65535) * unit;
  };
  const auto to_byte = [](float v) {
    return static_cast<uint8_t>(std::clamp(v, 0.0f, 1.0f) * 255.0f + 0.5f);
  };
  if (shape_.channels == 1) {
    for (size_t i = 0; i < plane_.size(); ++i)
      pixels[i] =
          to_byte(0.299f * plane_[i][0] + 0.587f * plane_[i][1] + 0.114f * plane_[i][2] + noise());
  } else {
    for (size_t i = 0; i < plane_.size(); ++i)
      for (size_t c = 0; c < 3; ++c) pixels[3 * i + c] = to_byte(plane_[i][c] + noise());
  }
}

void check_shape(const PictureShape& shape) {
  const auto in_range = [](int64_t extent) { return extent >= 12 && extent <= 1024; };
  if (!in_range(shape.height) || !in_range(shape.width) ||
      (shape.channels != 1 && shape.channels != 3))
    throw UserError("embedded digits: cannot draw pictures of " + to_text(shape) +
                        ", they must be 12 to 1024 high and wide with 1 or 3 channels",
                    "compile the network for such an input, or give a data set with --data");
}

}  // namespace

Dataset make_digits(const DigitOptions& options) {
  check_shape(options.shape);
  if (options.count < 1 || options.count > 100'000'000)
    throw UserError("embedded digits: " + std::to_string(options.count) +
                    " pictures, it must be 1 to 100000000");
  const auto count = static_cast<size_t>(options.count);
  const auto elements = static_cast<size_t>(options.shape.elements());
  std::vector<uint8_t> pixels(count * elements);
  std::vector<int32_t> labels(count);
  Painter painter(options.shape);
  for (size_t i = 0; i < count; ++i)
    labels[i] = painter.draw(options.seed, static_cast<int64_t>(i),
                             std::span(pixels).subspan(i * elements, elements));
  Dataset digits("embedded digits", options.shape, 10, std::move(pixels), std::move(labels));
  digits.set_normalization({{0.5f}, {0.3f}});
  return digits;
}

int32_t draw_digit(uint64_t seed, int64_t index, const PictureShape& shape,
                   std::span<uint8_t> pixels) {
  check_shape(shape);
  if (index < 0) throw UserError("embedded digits: there is no picture " + std::to_string(index));
  if (pixels.size() != static_cast<size_t>(shape.elements()))
    throw UserError("embedded digits: " + std::to_string(pixels.size()) +
                    " bytes for a picture of " + to_text(shape));
  return Painter(shape).draw(seed, index, pixels);
}

}  // namespace halcyon::runtime
