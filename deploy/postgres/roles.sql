-- One role and one database per service of the world live. No other role may connect to it.
-- psql reads the passwords from its environment: LOGISTICS_PASSWORD=… psql -f deploy/postgres/roles.sql
-- For another world, run a copy of this file with that world's name in place of live.
\set ON_ERROR_STOP on
REVOKE CONNECT ON DATABASE postgres FROM PUBLIC;
REVOKE CONNECT ON DATABASE template1 FROM PUBLIC;

\getenv password COLLABORATION_PASSWORD
CREATE ROLE live_collaboration LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'password';
CREATE DATABASE live_collaboration OWNER live_collaboration;
REVOKE ALL ON DATABASE live_collaboration FROM PUBLIC;

\getenv password FORECAST_PASSWORD
CREATE ROLE live_forecast LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'password';
CREATE DATABASE live_forecast OWNER live_forecast;
REVOKE ALL ON DATABASE live_forecast FROM PUBLIC;

\getenv password INVENTORY_PASSWORD
CREATE ROLE live_inventory LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'password';
CREATE DATABASE live_inventory OWNER live_inventory;
REVOKE ALL ON DATABASE live_inventory FROM PUBLIC;

\getenv password LOGISTICS_PASSWORD
CREATE ROLE live_logistics LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'password';
CREATE DATABASE live_logistics OWNER live_logistics;
REVOKE ALL ON DATABASE live_logistics FROM PUBLIC;

\getenv password PROCUREMENT_PASSWORD
CREATE ROLE live_procurement LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'password';
CREATE DATABASE live_procurement OWNER live_procurement;
REVOKE ALL ON DATABASE live_procurement FROM PUBLIC;

\getenv password EXCEPTIONS_PASSWORD
CREATE ROLE live_exceptions LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'password';
CREATE DATABASE live_exceptions OWNER live_exceptions;
REVOKE ALL ON DATABASE live_exceptions FROM PUBLIC;

\getenv password SALES_PASSWORD
CREATE ROLE live_sales LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'password';
CREATE DATABASE live_sales OWNER live_sales;
REVOKE ALL ON DATABASE live_sales FROM PUBLIC;

\getenv password SCORECARD_PASSWORD
CREATE ROLE live_scorecard LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'password';
CREATE DATABASE live_scorecard OWNER live_scorecard;
REVOKE ALL ON DATABASE live_scorecard FROM PUBLIC;
