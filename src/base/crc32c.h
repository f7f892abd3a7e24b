// CRC-32C (Castagnoli): the polynomial 0x1EDC6F41, reflected, as in iSCSI (RFC 3720) and TFRecord.
#pragma once

#include <cstdint>
#include <string_view>

namespace bitlaw {

uint32_t crc32c(std::string_view bytes);

}  // namespace bitlaw
