#pragma once
/// One function for each kind of mistake a shape rule can find.
///
/// None of them is constexpr: when a network is built in a constant expression, the call itself is
/// the error, and the C++ compiler's message carries the function's name and the user's line. At
/// run time they throw ShapeMistake, and explain() (dsl/graph.h) turns it into a UserError with the
/// node, its place and the input shapes.

#include <string>
#include <string_view>

#include "runtime/base/error.h"
#include "runtime/base/shape.h"

namespace halcyon::dsl {

/// What is wrong and what to change, without the node: only explain() is told that.
struct ShapeMistake {
  std::string what;
  std::string hint;
};

namespace mistakes {

[[noreturn]] inline void wrong_number_of_inputs(int64_t found, int64_t at_least, int64_t at_most) {
  throw ShapeMistake{std::to_string(found) + " inputs given, " + std::to_string(at_least) +
                         (at_most == at_least ? "" : " to " + std::to_string(at_most)) +
                         " expected",
                     ""};
}

[[noreturn]] inline void input_has_wrong_rank(int64_t found, int64_t at_least, int64_t at_most) {
  throw ShapeMistake{"x has rank " + std::to_string(found) + ", expected " +
                         std::to_string(at_least) +
                         (at_most == at_least ? "" : " to " + std::to_string(at_most)),
                     "activations are [N,C,H,W]; flatten makes them [N,C]"};
}

[[noreturn]] inline void input_channels_do_not_match(int64_t found, int64_t expected) {
  throw ShapeMistake{
      "x has " + std::to_string(found) + " channels, the weight needs " + std::to_string(expected),
      "change the input to " + std::to_string(expected) +
          " channels, or the weight's second extent times .groups to " + std::to_string(found)};
}

[[noreturn]] inline void weight_has_wrong_shape(const Shape& found, const Shape& expected) {
  throw ShapeMistake{"weight is " + to_string(found) + ", expected " + to_string(expected), ""};
}

[[noreturn]] inline void bias_has_wrong_shape(const Shape& found, int64_t expected) {
  throw ShapeMistake{
      "bias is " + to_string(found) + ", expected [" + std::to_string(expected) + "]",
      "one bias per output channel"};
}

[[noreturn]] inline void channels_not_divisible_by_groups(int64_t channels, int64_t groups) {
  throw ShapeMistake{std::to_string(channels) + " channels cannot be split into " +
                         std::to_string(groups) + " groups (" + std::to_string(channels) + " % " +
                         std::to_string(groups) + " = " +
                         std::to_string(groups > 0 ? channels % groups : channels) + ")",
                     "choose .groups that divides both the input channels and the filters"};
}

[[noreturn]] inline void input_has_no_batch(const Shape& found) {
  throw ShapeMistake{"x is " + to_string(found) + ", expected a batch in front, [N,...]", ""};
}

[[noreturn]] inline void attribute_must_be_positive(const char* attribute, int64_t found) {
  throw ShapeMistake{
      std::string(attribute) + " is " + std::to_string(found) + ", expected at least 1", ""};
}

[[noreturn]] inline void attribute_is_too_large(const char* attribute, int64_t found,
                                                int64_t at_most) {
  throw ShapeMistake{std::string(attribute) + " is " + std::to_string(found) +
                         ", expected at most " + std::to_string(at_most),
                     ""};
}

[[noreturn]] inline void attribute_has_wrong_number_of_axes(const char* attribute, int64_t found,
                                                            int64_t expected) {
  throw ShapeMistake{std::string(attribute) + " has " + std::to_string(found) + " numbers, x has " +
                         std::to_string(expected) + " spatial axes",
                     "give one number for all axes, or one for each"};
}

[[noreturn]] inline void attribute_has_wrong_number_of_sample_axes(const char* attribute,
                                                                   int64_t found,
                                                                   int64_t expected) {
  throw ShapeMistake{std::string(attribute) + " has " + std::to_string(found) + " numbers, x has " +
                         std::to_string(expected) + " axes behind the batch",
                     "give one number for all axes, or one for the channels and each spatial axis"};
}

[[noreturn]] inline void padding_must_not_be_negative(int64_t found) {
  throw ShapeMistake{"padding is " + std::to_string(found) + ", expected at least 0",
                     "to cut a border off, use slice"};
}

/// `window`: dilation * (kernel - 1) + 1.
[[noreturn]] inline void pool_padding_reaches_kernel(int64_t padding, int64_t window) {
  throw ShapeMistake{
      "padding " + std::to_string(padding) + " is not below the window's " + std::to_string(window),
      "a window that holds padding alone has no maximum"};
}

[[noreturn]] inline void pool_window_steps_over_input(int64_t input, int64_t pad_begin,
                                                      int64_t dilation) {
  throw ShapeMistake{"a window with dilation " + std::to_string(dilation) + " and padding " +
                         std::to_string(pad_begin) + " steps over all " + std::to_string(input) +
                         " of the input",
                     "a window that holds padding alone has no maximum"};
}

/// The arithmetic of out = (in + pad_begin + pad_end - (dilation*(kernel-1)+1)) / stride + 1.
[[noreturn]] inline void window_does_not_fit_input(int64_t input, int64_t pad_begin,
                                                   int64_t pad_end, int64_t kernel,
                                                   int64_t dilation) {
  throw ShapeMistake{"a window of " + std::to_string(dilation * (kernel - 1) + 1) + " (kernel " +
                         std::to_string(kernel) + ", dilation " + std::to_string(dilation) +
                         ") does not fit into " + std::to_string(input) + " + " +
                         std::to_string(pad_begin) + " + " + std::to_string(pad_end) +
                         " of padding",
                     "use a smaller kernel, more padding or a larger input"};
}

[[noreturn]] inline void shapes_must_be_equal(const Shape& first, const Shape& second) {
  throw ShapeMistake{
      "shapes must be equal, found " + to_string(first) + " and " + to_string(second), ""};
}

[[noreturn]] inline void shapes_cannot_be_repeated(const Shape& first, const Shape& second) {
  throw ShapeMistake{to_string(second) + " cannot be repeated to fit " + to_string(first),
                     "aligned from the last axis, extents are equal or 1; a parameter [C] is one "
                     "number per channel"};
}

[[noreturn]] inline void ranks_do_not_match(const Shape& found, int64_t rank) {
  throw ShapeMistake{"values with a batch need the same rank, found " + to_string(found) +
                         " beside one of rank " + std::to_string(rank),
                     "a gate for each channel is [N,C,1,1]"};
}

[[noreturn]] inline void parameter_has_a_batch_axis(const Shape& found, const Shape& x) {
  throw ShapeMistake{
      "parameter " + to_string(found) + " has as many axes as " + to_string(x) + " and no batch",
      "leave the batch's axis out: [C,1,1] in place of [1,C,1,1]"};
}

[[noreturn]] inline void formula_is_empty() {
  throw ShapeMistake{"the formula is missing", "for example formula=\"x0 * sigmoid(x0)\""};
}

[[noreturn]] inline void formula_is_too_long(int64_t at_most) {
  throw ShapeMistake{"the formula has more than " + std::to_string(at_most) + " terms",
                     "split the function into several"};
}

[[noreturn]] inline void stencil_reads_nothing() {
  throw ShapeMistake{"the formula reads no neighbour", "for example formula=\"x(0,1) - x(0,0)\""};
}

[[noreturn]] inline void stencil_mixes_axes(int64_t found, int64_t first) {
  throw ShapeMistake{"a neighbour is given by " + std::to_string(found) +
                         " steps, the first one by " + std::to_string(first),
                     "one for each spatial axis, outermost first: x(dy, dx) for pictures"};
}

[[noreturn]] inline void stencil_does_not_match_axes(int64_t steps, int64_t axes) {
  throw ShapeMistake{"neighbours are given by " + std::to_string(steps) + " steps, x has " +
                         std::to_string(axes) + " spatial axes",
                     "one for each spatial axis, outermost first: x(dy, dx) for pictures"};
}

[[noreturn]] inline void stencil_reaches_past_map(int64_t axis, int64_t reach, int64_t extent) {
  throw ShapeMistake{"no position has a neighbour " + std::to_string(reach) +
                         " steps away on axis " + std::to_string(axis) + ", which has " +
                         std::to_string(extent) + " positions",
                     "use smaller steps or a larger input"};
}

[[noreturn]] inline void function_is_unknown(std::string_view name) {
  throw ShapeMistake{"no function is called '" + std::string(name) + "'",
                     "dsl/functions.h has the table"};
}

[[noreturn]] inline void concat_extents_do_not_match(int64_t joined, int64_t axis, int64_t found,
                                                     int64_t expected) {
  throw ShapeMistake{
      std::string("concat joins ") +
          (joined == 1 ? std::string("channels") : "axis " + std::to_string(joined)) + "; axis " +
          std::to_string(axis) + " has " + std::to_string(found) + " here and " +
          std::to_string(expected) + " in the first input",
      "every axis but the " + (joined == 1 ? std::string("channels") : std::string("joined one")) +
          " must agree"};
}

[[noreturn]] inline void dense_needs_flat_input(int64_t rank) {
  throw ShapeMistake{"dense takes [N,C], x has rank " + std::to_string(rank),
                     "put flatten in front"};
}

[[noreturn]] inline void labels_do_not_match_scores(const Shape& scores, const Shape& labels) {
  throw ShapeMistake{"scores are " + to_string(scores) + ", labels are " + to_string(labels),
                     "scores are [N,classes], labels [N]"};
}

[[noreturn]] inline void extent_must_be_positive(int64_t axis, int64_t found) {
  throw ShapeMistake{
      "extent " + std::to_string(found) + " of axis " + std::to_string(axis) + " is not positive",
      ""};
}

[[noreturn]] inline void shape_is_too_large(const Shape& found, int64_t at_most) {
  throw ShapeMistake{
      to_string(found) + " has more than " + std::to_string(at_most) + " values per sample", ""};
}

[[noreturn]] inline void gradient_has_wrong_shape(const Shape& found, const Shape& expected) {
  throw ShapeMistake{"dy is " + to_string(found) + ", expected " + to_string(expected), ""};
}

/// Axes are counted with the batch, which is 0 and cannot be chosen.
[[noreturn]] inline void there_is_no_such_axis(int64_t axis, int64_t rank) {
  throw ShapeMistake{
      "axis " + std::to_string(axis) + " is not one of 1 to " + std::to_string(rank - 1),
      "0 is the batch, 1 the channels, 2 the first spatial axis"};
}

[[noreturn]] inline void slice_has_no_step(int64_t axis) {
  throw ShapeMistake{"the step of axis " + std::to_string(axis) + " is 0",
                     "1 takes every position, -1 runs backwards"};
}

[[noreturn]] inline void slice_is_out_of_range(int64_t axis, int64_t begin, int64_t end,
                                               int64_t step, int64_t extent) {
  throw ShapeMistake{"axis " + std::to_string(axis) + ": no position from " +
                         std::to_string(begin) + " up to " + std::to_string(end) + " in steps of " +
                         std::to_string(step) + ", or not all of them " + "among the input's " +
                         std::to_string(extent),
                     step > 0 ? "0 <= begin < end <= " + std::to_string(extent)
                              : "-1 <= end < begin < " + std::to_string(extent)};
}

[[noreturn]] inline void parts_do_not_fill_axis(int64_t axis, int64_t sum, int64_t extent) {
  throw ShapeMistake{"the parts of axis " + std::to_string(axis) + " hold " + std::to_string(sum) +
                         " positions, x has " + std::to_string(extent),
                     ""};
}

[[noreturn]] inline void axis_cannot_be_split_evenly(int64_t axis, int64_t extent, int64_t parts) {
  throw ShapeMistake{"the " + std::to_string(extent) + " positions of axis " +
                         std::to_string(axis) + " cannot be split into " + std::to_string(parts) +
                         " equal parts",
                     "give the extent of each part"};
}

[[noreturn]] inline void reflection_needs_larger_axis(int64_t axis, int64_t border,
                                                      int64_t extent) {
  throw ShapeMistake{"a reflected border of " + std::to_string(border) + " needs at least " +
                         std::to_string(border + 1) + " positions, axis " + std::to_string(axis) +
                         " has " + std::to_string(extent),
                     "use edge, or pad twice"};
}

[[noreturn]] inline void only_constants_stand_between() {
  throw ShapeMistake{"reflect and edge put nothing between neighbours", "leave .between at 0"};
}

[[noreturn]] inline void permutation_has_wrong_rank(int64_t found, int64_t expected) {
  throw ShapeMistake{"the permutation has " + std::to_string(found) + " axes, x has " +
                         std::to_string(expected) + " behind the batch",
                     "name each of them once: 1 is the channels, 2 the first spatial axis"};
}

[[noreturn]] inline void permutation_names_no_axis(int64_t found, int64_t last) {
  throw ShapeMistake{"the permutation names axis " + std::to_string(found) + ", expected 1 to " +
                         std::to_string(last),
                     "the batch, axis 0, stays in front and is not named"};
}

[[noreturn]] inline void permutation_names_axis_twice(int64_t axis) {
  throw ShapeMistake{"the permutation names axis " + std::to_string(axis) + " twice", ""};
}

[[noreturn]] inline void channels_fill_no_blocks(int64_t channels, int64_t block, int64_t axes) {
  throw ShapeMistake{std::to_string(channels) + " channels are no multiple of block^" +
                         std::to_string(axes) + ", block is " + std::to_string(block),
                     ""};
}

[[noreturn]] inline void extent_is_no_multiple_of_block(int64_t axis, int64_t extent,
                                                        int64_t block) {
  throw ShapeMistake{"extent " + std::to_string(extent) + " of axis " + std::to_string(axis) +
                         " is no multiple of the block's " + std::to_string(block),
                     ""};
}

[[noreturn]] inline void reshape_changes_count(const Shape& found, const Shape& wanted) {
  throw ShapeMistake{to_string(found) + " has " + std::to_string(found.elements()) +
                         " values per sample, " + to_string(wanted) + " has " +
                         std::to_string(wanted.elements()),
                     ""};
}

[[noreturn]] inline void reshape_leaves_axis_open(const Shape& found) {
  throw ShapeMistake{
      "the extent -1 cannot be found from the " + std::to_string(found.elements()) + " values of x",
      "at most one extent may be -1, and the others must divide the values"};
}

[[noreturn]] inline void scale_is_not_usable() {
  throw ShapeMistake{"the scale is not positive, or too large",
                     "give each spatial axis a .size or a .scale above 0"};
}

[[noreturn]] inline void resize_leaves_nothing(int64_t extent) {
  throw ShapeMistake{"the scale leaves nothing of an extent of " + std::to_string(extent),
                     "scale times extent must be at least 1"};
}

[[noreturn]] inline void output_padding_reaches_stride(int64_t output_padding, int64_t stride,
                                                       int64_t dilation) {
  throw ShapeMistake{"output_padding " + std::to_string(output_padding) +
                         " is below neither the stride's " + std::to_string(stride) +
                         " nor the dilation's " + std::to_string(dilation),
                     "it chooses among the sizes that the stride makes possible"};
}

[[noreturn]] inline void padding_leaves_nothing(int64_t extent, int64_t pad_begin,
                                                int64_t pad_end) {
  throw ShapeMistake{"padding " + std::to_string(pad_begin) + " and " + std::to_string(pad_end) +
                         " cut off all " + std::to_string(extent) + " positions",
                     ""};
}

/// `shape` needs `expected` values: the product of its extents.
[[noreturn]] inline void number_of_values_does_not_match(int64_t found, const Shape& shape) {
  std::string product;
  for (int axis = 0; axis < shape.rank; ++axis) {
    product += (axis > 0 ? " * " : "") + std::to_string(shape[axis]);
  }
  throw ShapeMistake{std::to_string(found) + " values given, " + to_string(shape) + " needs " +
                         std::to_string(shape.elements()) +
                         (shape.rank > 1 ? " (" + product + ")" : ""),
                     ""};
}

[[noreturn]] inline void number_must_be_above_zero(const char* attribute, double found) {
  throw ShapeMistake{std::string(attribute) + " is " + std::to_string(found) + ", expected above 0",
                     ""};
}

[[noreturn]] inline void number_must_be_within(const char* attribute, double found,
                                               const char* range) {
  throw ShapeMistake{
      std::string(attribute) + " is " + std::to_string(found) + ", expected within " + range, ""};
}

[[noreturn]] inline void not_one_value_per_channel(const char* what, const Shape& found,
                                                   int64_t channels) {
  throw ShapeMistake{std::string(what) + " is " + to_string(found) + ", expected [" +
                         std::to_string(channels) + "]",
                     "one number for each channel of x"};
}

[[noreturn]] inline void channels_not_divisible_into_groups(int64_t channels, int64_t groups) {
  throw ShapeMistake{std::to_string(channels) + " channels cannot be split into " +
                         std::to_string(groups) + " groups (" + std::to_string(channels) + " % " +
                         std::to_string(groups) + " = " + std::to_string(channels % groups) + ")",
                     "choose a number of groups that divides the channels"};
}

[[noreturn]] inline void window_must_be_odd(int64_t size) {
  throw ShapeMistake{"size is " + std::to_string(size) + ", expected an odd number",
                     "a window of positions has one in its middle"};
}

[[noreturn]] inline void reduce_needs_an_axis() {
  throw ShapeMistake{"no axis is given", "1 is the channels, 2 the first spatial axis"};
}

[[noreturn]] inline void reduced_axis_is_out_of_range(int64_t axis, int64_t rank) {
  throw ShapeMistake{"axis " + std::to_string(axis) + " is not within [1," + std::to_string(rank) +
                         "), the axes of x behind the batch",
                     "the batch, axis 0, cannot be reduced"};
}

[[noreturn]] inline void reduced_axis_is_given_twice(int64_t axis) {
  throw ShapeMistake{"axis " + std::to_string(axis) + " is given twice", ""};
}

[[noreturn]] inline void factors_do_not_fit(int64_t columns, int64_t rows) {
  throw ShapeMistake{
      "a has " + std::to_string(columns) + " columns, b has " + std::to_string(rows) + " rows",
      "they are summed over together; transpose_a and transpose_b exchange the two"};
}

[[noreturn]] inline void labels_must_be_integers() {
  throw ShapeMistake{"the labels are no class numbers", "make them with net.labels()"};
}

[[noreturn]] inline void labels_have_other_classes(int64_t found, int64_t expected) {
  throw ShapeMistake{"scores of " + std::to_string(found) +
                         " classes, but another loss reads the " + "same labels as one of " +
                         std::to_string(expected),
                     "give each its own labels, or both as many classes"};
}

[[noreturn]] inline void value_is_not_finite(const char* what) {
  throw ShapeMistake{std::string(what) + " is infinite or not a number", ""};
}

[[noreturn]] inline void loss_must_be_a_scalar(const Shape& found) {
  throw ShapeMistake{"a loss is one number, x is " + to_string(found),
                     "make it with softmax_cross_entropy or mean_square"};
}

[[noreturn]] inline void tensors_of_different_networks() {
  throw ShapeMistake{"two tensors of different networks cannot be used together", ""};
}

[[noreturn]] inline void tensor_of_no_network() {
  throw UserError("a tensor that belongs to no network cannot be used",
                  "the first tensors come from net.input()");
}

[[noreturn]] inline void name_is_already_taken() {
  throw ShapeMistake{"the name is already taken in this network", "choose another .name"};
}

[[noreturn]] inline void name_is_not_usable() {
  throw ShapeMistake{
      "the name is empty, longer than 62 characters or has a \", a \\ or no ASCII in it",
      "names stand in headers, weight files and messages"};
}

[[noreturn]] inline void name_is_not_a_c_identifier() {
  throw ShapeMistake{"not a usable name for a network",
                     "at most 40 letters, digits and _; it becomes part of the C functions' names"};
}

}  // namespace mistakes
}  // namespace halcyon::dsl
