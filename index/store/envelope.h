#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "face/base/status.h"
#include "index/store/key_codec.h"

// The envelope around every stored value:
//
//   value   = version:u8 cipher:u8 key_id:u64le nonce_size:u8 nonce payload crc:u32le
//   version = 2
//   cipher  = 0 (none) | 1 (AES-256-GCM)
//   crc     = CRC-32C of: family:u8, the RocksDB key, all of the value before the crc
//
// Family and key enter the sum, so that a value that turns up under another key is found out.
// Version 1, in which key_id is a u32le, is read, too; nothing else differs in it.
// Cipher 1 is reserved: this program writes cipher 0 alone (key_id 0, no nonce) and refuses others.
namespace facegate {

// The numbers are on disk: never change one.
enum class Cipher : uint8_t { kNone = 0, kAes256Gcm = 1 };

std::string SealEnvelope(Family family, std::string_view key, std::string_view payload);

// The payload, a part of `value`. kStoreCorrupt when the bytes do not check; kFailedPrecondition
// when they do, but are of a version or cipher that this program cannot read. Messages hold
// numbers, never the bytes.
StatusOr<std::string_view> OpenEnvelope(Family family, std::string_view key,
                                        std::string_view value);

}  // namespace facegate
