#pragma once

#include <string>
#include <string_view>

// A folder's name becomes an identity by these.
namespace facegate::cli {

// The label in which an identity that was enrolled from a folder keeps the folder's name.
inline constexpr char kFolderLabel[] = "folder";

// An id that the server takes ([A-Za-z0-9][A-Za-z0-9._-]{0,127}) and that tells names apart. A name
// that is such an id stays as it is. Any other one becomes what of it an id can hold, a dash, and
// the first 16 hexadecimal digits of the SHA-256 of the name: "Zoë" is "Zoe-" and 16 digits, a name
// in Chinese "name-" and 16 digits. The name is composed before (Unicode's form C), so that a name
// that a Mac wrote gives the same id as one that Linux wrote.
std::string IdentityIdOf(std::string_view folder);

// The name as the value of a label: composed, without control characters and marks of direction,
// and cut to 256 bytes. Equal to the name itself for almost every name; may be empty.
std::string FolderLabelOf(std::string_view folder);

}  // namespace facegate::cli
