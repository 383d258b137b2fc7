#include "clients/cli/lettering.h"

#include <algorithm>
#include <array>

namespace facegate::cli {
namespace {

// A letter is some strokes, and a stroke is the points that the pen goes through: each of two
// hexadecimal digits, x from the left and y upwards. Letters stand on y = 2; the small ones are 5
// high, the capital ones 8.
using Letter = std::string_view;
constexpr double kBase = 2;
constexpr double kCapital = 8;
constexpr double kBetween = 2.2;  // two letters
constexpr double kSpace = 2;      // of a space

constexpr std::array<Letter, 95> kLetters = {
    "",                                     // space
    "0a05 0202",                            // !
    "0a08 2a28",                            // "
    "1a12 3a32 0848 0444",                  // #
    "493a1a090716364543321203 2b21",        // $
    "4a02 0a1a19090a 3343423233",           // %
    "4208091a29280503122245",               // &
    "0a08",                                 // '
    "1a080412",                             // (
    "0a181402",                             // )
    "2529 0648 0846",                       // *
    "2723 0545",                            // +
    "1200",                                 // ,
    "0535",                                 // -
    "0202",                                 // .
    "024a",                                 // /
    "1203091a3a49433212",                   // 0
    "082a22",                               // 1
    "091a3a49470242",                       // 2
    "091a3a49473616 364543321203",          // 3
    "323a0444",                             // 4
    "4a0a07374643321203",                   // 5
    "3a1a080312324345361605",               // 6
    "0a4a12",                               // 7
    "1607091a3a4947361605031232434536",     // 8
    "123244493a1a0907163647",               // 9
    "0202 0606",                            // :
    "1200 1616",                            // ;
    "380532",                               // <
    "0646 0444",                            // =
    "083502",                               // >
    "091a2a39372524 2222",                  // ?
    "37271615243437 344455584a1a08041242",  // @
    "022a42 1535",                          // A
    "020a3a49473606 3645433202",            // B
    "493a1a0903123243",                     // C
    "020a2a48442202",                       // D
    "4a0a0242 0636",                        // E
    "4a0a02 0636",                          // F
    "493a1a09031232434626",                 // G
    "0a02 4a42 0646",                       // H
    "0a02",                                 // I
    "3a33221203",                           // J
    "0a02 4a05 1642",                       // K
    "0a0242",                               // L
    "020a366a62",                           // M
    "020a424a",                             // N
    "1203091a4a59534212",                   // O
    "020a3a49473606",                       // P
    "1203091a4a59534212 3451",              // Q
    "020a3a49473606 2642",                  // R
    "493a1a090716364543321203",             // S
    "0a4a 2a22",                            // T
    "0a031232434a",                         // U
    "0a224a",                               // V
    "0a1238526a",                           // W
    "0a42 4a02",                            // X
    "0a264a 2622",                          // Y
    "0a4a0242",                             // Z
    "1a0a0212",                             // [
    "0a42",                                 // a backslash
    "0a1a1202",                             // ]
    "082a48",                               // ^
    "0141",                                 // _
    "0a18",                                 // `
    "3732 3627170603122233",                // a
    "0a02 0617273633221203",                // b
    "3627170603122233",                     // c
    "3a32 3627170603122233",                // d
    "053536271706031232",                   // e
    "2a1912 0727",                          // f
    "3731201000 3627170603122233",          // g
    "0a02 0617273632",                      // h
    "0702 0909",                            // i
    "171100 1919",                          // j
    "0a02 3704 1532",                       // k
    "0a0312",                               // l
    "0702 0617273632 3647576662",           // m
    "0702 0617273632",                      // n
    "120306172736332212",                   // o
    "0700 0617273633221203",                // p
    "3730 3627170603122233",                // q
    "0702 051727",                          // r
    "3717061524332202",                     // s
    "1a1322 0727",                          // t
    "0703122233 3732",                      // u
    "072247",                               // v
    "0712365267",                           // w
    "0732 3702",                            // x
    "0722 4710",                            // y
    "07370232",                             // z
    "2a191706151322",                       // {
    "0b01",                                 // |
    "0a191726151302",                       // }
    "05163445",                             // ~
};

Letter LetterOf(char character) {
  const bool known = character >= ' ' && character <= '~';
  return kLetters[static_cast<size_t>((known ? character : '?') - ' ')];
}

int Digit(char digit) { return digit <= '9' ? digit - '0' : digit - 'a' + 10; }

// Calls `visit(from, to)` for each line of a letter, in its own coordinates.
template <typename Visit>
void ForEachLine(Letter letter, const Visit& visit) {
  for (size_t at = 0; at + 3 < letter.size(); at += letter[at + 2] == ' ' ? 3 : 2) {
    if (letter[at + 2] == ' ') continue;
    const auto point = [&](size_t i) {
      return Point{static_cast<double>(Digit(letter[i])),
                   static_cast<double>(Digit(letter[i + 1]))};
    };
    visit(point(at), point(at + 2));
  }
}

double WidthOf(Letter letter) {
  if (letter.empty()) return kSpace;
  double width = 0;
  ForEachLine(letter, [&](const Point& from, const Point& to) {
    width = std::max({width, from.x, to.x});
  });
  return width;
}

}  // namespace

double WidthOf(std::string_view text, const Pen& pen) {
  double units = 0;
  for (const char character : text) units += WidthOf(LetterOf(character)) + kBetween;
  return units * pen.letter_height / kCapital;
}

void WriteText(std::string_view text, const Point& left, const Pen& pen, Canvas& canvas) {
  const double unit = pen.letter_height / kCapital;
  double x = left.x;
  for (const char character : text) {
    const Letter letter = LetterOf(character);
    const auto place = [&](const Point& point) {
      return Point{x + unit * point.x, left.y - unit * (point.y - kBase)};
    };
    ForEachLine(letter, [&](const Point& from, const Point& to) {
      canvas.DrawLine(place(from), place(to), pen.thickness, pen.colour);
    });
    x += unit * (WidthOf(letter) + kBetween);
  }
}

}  // namespace facegate::cli
