# SPDX-License-Identifier: GPL-2.0-or-later
# cmake -DIN=FILE -DOUT=FILE.c -DNAME=symbol -P embed.cmake: a text file as a C string.
file(READ "${IN}" text)
string(REPLACE "\\" "\\\\" text "${text}")
string(REPLACE "\"" "\\\"" text "${text}")
string(REPLACE "\n" "\\n\"\n\t\"" text "${text}")
file(WRITE "${OUT}" "/* Made of ${NAME}'s source by cmake/embed.cmake. */\n"
	"extern const char ${NAME}[];\nconst char ${NAME}[] =\n\t\"${text}\";\n")
