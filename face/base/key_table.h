#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "face/base/number_range.h"

// Tables of keys: all that a file of settings may say, a row for each key. A table is made for one
// object; its rows read texts into the object's members, check them, and write them as texts again.
// Where texts come from (YAML, a command line) and how errors are worded is up to the owner of the
// table. A row takes two lines:
//
//   {"max_batch", &c.max_batch, InRange(1, 256),
//    "The largest number of faces in one forward pass."},
namespace facegate {

// The limits say what the values of a key may be: anything of its kind where they are empty.
struct KeyLimits {
  KeyLimits() = default;
  // Implicit, so that a row names the range of an option as it is.
  KeyLimits(const NumberRange& numbers) : range(numbers), text(RangeText(numbers)) {}

  std::optional<NumberRange> range{};
  std::vector<std::string> choices{};
  std::string text{};     // of range or choices: "1 to 256", "sgd, adam"
  std::string example{};  // a value to show where the default is none that could be used
};

// Numbers lie between `min` and `max`. Bounds are shown as they are written: whole numbers in full,
// others in six digits (1e+06).
KeyLimits InRange(double min, double max);
KeyLimits InWholeRange(int64_t min, int64_t max);
template <std::integral Min, std::integral Max>
KeyLimits InRange(Min min, Max max) {
  return InWholeRange(static_cast<int64_t>(min), static_cast<int64_t>(max));
}
KeyLimits OneOf(std::vector<std::string> choices);
KeyLimits Example(std::string value);

enum class KeyKind { kSwitch, kWholeNumber, kNumber, kText };

// A fault says why a text is no value of a key.
struct KeyFault {
  enum class Reason {
    kWrongKind,   // see Key::KindText()
    kOutOfRange,  // see KeyLimits::text
    kNoChoice     // the same
  };
  Reason reason;
  std::string text;
};

// A key is one row: its name, the member that holds its value, what that may be, and a sentence on
// it for the help. The member must outlive the row.
class Key {
 public:
  // An optional number is written "auto" where there is none.
  using Member = std::variant<bool*, int*, int64_t*, uint64_t*, double*, std::optional<double>*,
                              std::string*, std::vector<double>*, std::vector<std::string>*>;

  Key(std::string_view name, Member member, std::string_view sentence)
      : Key(name, member, KeyLimits(), sentence) {}
  Key(std::string_view name, Member member, KeyLimits limits, std::string_view sentence);

  std::string_view name() const { return name_; }
  std::string_view sentence() const { return sentence_; }
  const KeyLimits& limits() const { return limits_; }

  // The kind is that of each value where the key is a list.
  KeyKind kind() const;
  bool is_list() const;
  bool may_be_auto() const;
  // It is "a whole number", "a list of texts" and so on.
  std::string KindText() const;

  // Sets the member: to the one text, or to all of them where the key is a list. Numbers are
  // decimal, a switch is "true" or "false". On a fault the member stays as it is.
  std::optional<KeyFault> Set(const std::vector<std::string>& texts) const;
  // Writes the member's value, in texts that Set() takes.
  std::vector<std::string> Texts() const;

  // Returns "; did you mean \"sgd\"?" where one of the choices is near to `text`, else nothing.
  std::string MeantChoice(std::string_view text) const;

 private:
  std::string_view name_;
  Member member_;
  KeyLimits limits_;
  std::string_view sentence_;
};

// A KeyTable holds its rows in the order of the help.
class KeyTable {
 public:
  KeyTable(std::initializer_list<Key> keys) : keys_(keys) {}

  std::vector<Key>::const_iterator begin() const { return keys_.begin(); }
  std::vector<Key>::const_iterator end() const { return keys_.end(); }

  // Returns null where there is none. The key is valid while the table lives.
  const Key* Find(std::string_view name) const;
  // Returns "; did you mean \"data.batch\"?" where a key's name is near to `name`, else nothing. A
  // key of a section, "section.key", is near too where its section was left out or is another one.
  std::string MeantKey(std::string_view name) const;

 private:
  std::vector<Key> keys_;
};

}  // namespace facegate
