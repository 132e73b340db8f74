#include "runtime/data/npy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "runtime/base/error.h"
#include "runtime/data/numbers.h"
#include "tests/runtime/expect_error.h"
#include "tests/runtime/temporary_folder.h"

namespace halcyon::runtime {
namespace {

using tests::expect_error;

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

template <class Number>
std::string data_of(const std::vector<Number>& numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(Number)};
}

/// A file with this header, length and all.
std::string file_of(const std::string& header, const std::string& data, char version = 1) {
  std::string text = "\x93NUMPY";
  text += {version, '\0', static_cast<char>(header.size() & 0xff),
           static_cast<char>(header.size() >> 8)};
  if (version > 1) text += std::string(2, '\0');
  return text + header + data;
}

std::string header_of(const std::string& type, const std::string& shape, bool fortran = false) {
  return "{'descr': '" + type + "', 'fortran_order': " + (fortran ? "True" : "False") +
         ", 'shape': " + shape + ", }\n";
}

std::vector<float> read(const std::string& text) {
  const Tensor tensor = to_tensor(parse_npy(bytes_of(text), "a.npy"), "a.npy");
  return {tensor.floats().begin(), tensor.floats().end()};
}

template <typename... Parts>
void expect_refused(const std::string& text, const Parts&... parts) {
  expect_error<UserError>([&] { parse_npy(bytes_of(text), "a.npy"); }, "array file 'a.npy'",
                          parts...);
}

const std::vector<float> kSix = {1, 2, 3, 4, 5, 6};

TEST(Npy, ReadsWhatItWrites) {
  const tests::TemporaryFolder folder;
  for (const Shape& shape : {Shape{6}, Shape{2, 3}, Shape{1, 3, 2, 1}}) {
    const std::vector<std::byte> bytes = format_npy(Tensor(shape, kSix));
    EXPECT_EQ((bytes.size() - 24) % 64, 0u);
    EXPECT_EQ(parse_npy(bytes, "a.npy").dtype, "F32");
    write_npy(folder.file("a.npy"), Tensor(shape, kSix));
    const Tensor back = read_npy(folder.file("a.npy"));
    EXPECT_EQ(back.shape(), shape);
    EXPECT_TRUE(std::ranges::equal(back.floats(), kSix));
  }
  EXPECT_EQ(parse_npy(format_npy(Tensor(Shape{})), "a.npy").shape, std::vector<int64_t>{});
  const WeightTensor labels =
      parse_npy(format_npy(Tensor({2}, std::vector<int32_t>{-1, 7})), "a.npy");
  EXPECT_EQ(labels.dtype, "I32");
  EXPECT_TRUE(std::ranges::equal(to_tensor(labels, "").floats(), std::vector<float>{-1, 7}));
  EXPECT_EQ(parse_npy(format_npy(Tensor({3}, DType::u8)), "a.npy").dtype, "U8");
}

TEST(Npy, WritesTheHeaderThatNumPyWrites) {
  const std::vector<std::byte> bytes = format_npy(Tensor({2, 3}, kSix));
  const std::string text(reinterpret_cast<const char*>(bytes.data()), 128);
  EXPECT_EQ(text.substr(0, 10), std::string("\x93NUMPY\x01\x00\x76\x00", 10));
  EXPECT_TRUE(
      text.substr(10).starts_with("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } "));
  EXPECT_EQ(text[127], '\n');
}

TEST(Npy, MoreAxesThanATensorHasAreRefused) {
  const std::string text = file_of(header_of("<f4", "(1, 1, 1, 2, 1, 1, 3)"), data_of(kSix));
  expect_error<UserError>([&] { read(text); }, "a.npy has 7 axes, at most 6 are read");
}

TEST(Npy, ReadsEveryTypeOfNumber) {
  EXPECT_EQ(read(file_of(header_of("<f4", "(2, 3)"), data_of(kSix))), kSix);
  EXPECT_EQ(read(file_of(header_of("<f8", "(6,)"), data_of<double>({1, 2, 3, 4, 5, 6}))), kSix);
  EXPECT_EQ(read(file_of(header_of("|u1", "(3,)"), "\x01\x80\xff")),
            (std::vector<float>{1, 128, 255}));
  EXPECT_EQ(read(file_of(header_of("|i1", "(2,)"), "\x01\xff")), (std::vector<float>{1, -1}));
  EXPECT_EQ(read(file_of(header_of("|b1", "(2,)"), std::string("\0\1", 2))),
            (std::vector<float>{0, 1}));
  EXPECT_EQ(read(file_of(header_of("<i4", "(2,)"), data_of<int32_t>({-70000, 9}))),
            (std::vector<float>{-70000, 9}));
  EXPECT_EQ(read(file_of(header_of("<i8", "(2,)"), data_of<int64_t>({-5, 1LL << 40}))),
            (std::vector<float>{-5, 1099511627776.0f}));
}

TEST(Npy, TurnsBigEndianNumbersRound) {
  EXPECT_EQ(read(file_of(header_of(">f4", "(1,)"), std::string("\x40\x20\0\0", 4))),
            (std::vector<float>{2.5f}));
  EXPECT_EQ(read(file_of(header_of(">i4", "(1,)"), std::string("\0\0\x01\x02", 4))),
            (std::vector<float>{258}));
}

TEST(Npy, TurnsFortranOrderRound) {
  // [[1,2,3],[4,5,6]] by columns.
  EXPECT_EQ(read(file_of(header_of("<f4", "(2, 3)", true), data_of<float>({1, 4, 2, 5, 3, 6}))),
            kSix);
  // element (i, j, k) of [2,3,2] holds 100 i + 10 j + k.
  std::vector<float> columns, rows;
  for (int k = 0; k < 2; ++k)
    for (int j = 0; j < 3; ++j)
      for (int i = 0; i < 2; ++i) columns.push_back(static_cast<float>(100 * i + 10 * j + k));
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 3; ++j)
      for (int k = 0; k < 2; ++k) rows.push_back(static_cast<float>(100 * i + 10 * j + k));
  EXPECT_EQ(read(file_of(header_of("<f4", "(2, 3, 2)", true), data_of(columns))), rows);
}

TEST(Npy, ReadsLaterVersionsAndOtherSpellings) {
  EXPECT_EQ(read(file_of(header_of("<f4", "(6,)"), data_of(kSix), 2)), kSix);
  EXPECT_EQ(read(file_of(header_of("<f4", "(6,)"), data_of(kSix), 3)), kSix);
  EXPECT_EQ(
      read(file_of("{\"shape\":(3,2),\"descr\":\"<f4\",\"fortran_order\":False}", data_of(kSix))),
      kSix);
}

TEST(Npy, RefusesWhatIsNoArrayFile) {
  expect_refused("", "it does not begin as a .npy file", "hint: is it complete");
  expect_refused("PK\3\4 a zip file, such as .npz", "it does not begin as a .npy file");
  expect_refused("\x93NUMPY\x01", "it ends within its header");
  expect_refused(file_of("{}", "", 9), "format version 9, known are 1 to 3");
}

TEST(Npy, RefusesHeadersThatLieAboutTheirLength) {
  std::string text = file_of(header_of("<f4", "(6,)"), data_of(kSix));
  text[9] = '\x7f';
  expect_refused(text, "its header should have 32", "bytes, the file has ");
  text = file_of(header_of("<f4", "(6,)"), data_of(kSix), 2);
  text[10] = '\xff';
  expect_refused(text, "bytes, at most 65536 are accepted");
}

TEST(Npy, RefusesHeadersOfAnotherForm) {
  for (const auto& [header, message] : std::vector<std::pair<std::string, std::string>>{
           {"", "its header has no '{' at its byte 0"},
           {"{", "no text in quotes at its byte 1"},
           {"{'descr': '<f4', ", "no text in quotes"},
           {"{'descr': '<f4'}", "lacks descr, fortran_order or shape"},
           {"{'descr': '<f4', 'descr': '<f4'}", "'descr', which is unknown or there twice"},
           {"{'__import__': 1}", "'__import__', which is unknown"},
           {"{'fortran_order': None}", "neither True nor False"},
           {"{'shape': [1]}", "its header has no '(' at its byte 10"},
           {"{'shape': (-1,)}", "its shape has no whole number at byte 11"},
           {"{'shape': (99999999999999999999,)}", "its shape has no whole number"},
           {"{'shape': (1 2)}", "its header has no ')'"},
           {header_of("<f4", "(6,)") + "x", "goes on behind the '}'"}}) {
    expect_refused(file_of(header, data_of(kSix)), message);
  }
  std::string many = "(";
  for (int i = 0; i < 33; ++i) many += "1, ";
  expect_refused(file_of(header_of("<f4", many + ")"), data_of<float>({1})), "more than 32 axes");
}

TEST(Npy, RefusesSizesThatDoNotFit) {
  expect_refused(file_of(header_of("<f4", "(2, 3)"), data_of<float>({1, 2, 3, 4, 5})),
                 "[2,3] of <f4 has 24 bytes, the file holds 20", "hint: the file has been cut off");
  expect_refused(file_of(header_of("<f4", "(2, 3)"), data_of(kSix) + "x"), "the file holds 25",
                 "hint: something has been added");
  // 2^32 * 2^32 * 4 is 0 in 64 bits.
  expect_refused(file_of(header_of("<f4", "(4294967296, 4294967296)"), ""),
                 "is more than any memory holds");
  expect_refused(file_of(header_of("<f4", "(9223372036854775807,)"), ""),
                 "is more than any memory holds");
}

TEST(Npy, SurvivesEveryChangedByteAndEveryLength) {
  const std::string good = file_of(header_of("<f4", "(2, 3)", true), data_of(kSix));
  const auto read_or_refuse = [](const std::string& text) {
    try {
      const WeightTensor array = parse_npy(bytes_of(text), "a.npy");
      EXPECT_LE(array.data.size(), text.size());
    } catch (const UserError&) {
    }
  };
  for (std::size_t at = 0; at < good.size(); ++at) {
    expect_refused(good.substr(0, at));
    for (const char value : std::string("\0\1\x09 '(),-79}\x7f\xff", 14)) {
      std::string text = good;
      text[at] = value;
      read_or_refuse(text);
    }
  }
}

TEST(Npy, RefusesWhatAreNoNumbers) {
  expect_refused(file_of(header_of("|O", "(1,)"), "x"), "holds Python objects",
                 "hint: save it as numbers");
  expect_refused(
      file_of("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", "xxxx"),
      "holds structures, expected plain numbers");
  for (const char* type : {"<U3", "|S4", "<c8", "<M8[s]", "<f2", "<f16", "f4", "<f", "", "<"}) {
    expect_refused(file_of(header_of(type, "(1,)"), "xxxx"),
                   "holds numbers of type '" + std::string(type) + "', which are not read");
  }
}

}  // namespace
}  // namespace halcyon::runtime
